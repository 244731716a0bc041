import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv/dist/2020";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { parse } from "yaml";
import { keysIn, sectionKeys } from "./keys.ts";
import { defaultConfig, loadConfig } from "./load.ts";
import { renderConfig, renderSchema, writeConfig } from "./write.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wisbot-write-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const load = () => loadConfig({ flags: {}, env: { HOME: folder }, cwd: folder });

test("the template names every key, and what it says is the default", async () => {
  const written = parse(renderConfig());
  const named = Object.entries<object>(written).flatMap(([section, keys]) =>
    Object.keys(keys).map((key) => `${section}.${key}`),
  );
  expect(named).toEqual(sectionKeys().map((path) => path.join(".")));
  expect(Object.keys(written.llm.hosts[0])).toEqual(keysIn(["llm", "hosts", 0]));
  expect(renderConfig()).toContain("# data_dir: ./data ");
  await writeConfig(join(folder, "config.yaml"));
  expect((await load()).config).toEqual(defaultConfig(folder).config);
});

/** The template with the examples below a key in place of what it says. */
function withExamples(section: string, key: string): string {
  const lines = renderConfig().split("\n");
  const above = lines.indexOf(`${section}:`);
  const at = lines.findIndex((line, index) => index > above && line.startsWith(`  ${key}:`));
  const end = lines.findIndex((line, index) => index > at && !line.startsWith("  #"));
  const examples = lines.slice(at + 1, end).map((line) => line.replace("  #", "  "));
  return [...lines.slice(0, at), `  ${key}:`, ...examples, ...lines.slice(end)].join("\n");
}

test("the examples in the template are read as they stand", async () => {
  const file = join(folder, "config.yaml");
  writeFileSync(file, withExamples("files", "quotas"));
  const [quota] = (await load()).config.files.quotas;
  expect(quota).toMatchObject({ roles: ["123456789012345678"], max_bytes: 50e9, max_files: 100 });
  expect(Object.keys(quota ?? {})).toHaveLength(6);

  writeFileSync(file, withExamples("llm", "quotas"));
  const [llmQuota] = (await load()).config.llm.quotas;
  expect(llmQuota).toEqual({
    roles: ["123456789012345678"],
    requests: 200,
    tokens: 500_000,
    gpu_time: 1_800_000,
    priority: 1,
  });

  writeFileSync(file, withExamples("files", "s3"));
  const env = { HOME: folder, S3_ACCESS_KEY_ID: "id", S3_SECRET_ACCESS_KEY: "secret" };
  const { s3 } = (await loadConfig({ flags: {}, env, cwd: folder })).config.files;
  expect(s3).toMatchObject({ bucket: "my-community", access_key_id: "id", secret_access_key: "secret" });
  expect(Object.keys(s3 ?? {}).sort()).toEqual(keysIn(["files", "s3"]).sort());
});

test("settings take their places, and every comment keeps its own", async () => {
  const text = renderConfig([
    { path: ["discord", "token"], value: "abc" },
    { path: ["discord", "guild_ids"], value: ["123456789012345678"] },
    { path: ["llm", "hosts", 0, "url"], value: "http://gpu-box:11434" },
    { path: ["web", "port"], value: 9000 },
  ]);
  const column = (key: string) =>
    text
      .split("\n")
      .find((line) => line.includes(`${key}:`))
      ?.indexOf("#");
  expect(column("token")).toBe(column("expire_after"));
  expect(text.match(/#/g)?.length).toBe(renderConfig().match(/#/g)?.length);
  expect(text).toContain("  token: abc ");
  expect(text).toContain('  guild_ids: ["123456789012345678"] #');
  expect(text).toContain("  port: 9000\n");
});

test("any text that is set is read back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (value) => {
      const text = renderConfig([
        { path: ["llm", "model"], value },
        { path: ["web", "host"], value },
      ]);
      const written = parse(text);
      expect([written.llm.model, written.web.host, written.web.port]).toEqual([value, value, 8080]);
    }),
    { examples: [["\u00a0"], ["a\u2003"]] },
  );
});

test("the file is its owner's alone, with its schema beside it and nothing else", async () => {
  const file = join(folder, "sub/config.yaml");
  await writeConfig(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, "sub")).sort()).toEqual(["config.schema.json", "config.yaml"]);
});

test("a file that stands is kept unless it may be written over", async () => {
  const file = join(folder, "config.yaml");
  await writeConfig(file, { settings: [{ path: ["web", "port"], value: 9000 }] });
  await expect(writeConfig(file)).rejects.toMatchObject({ code: "config.exists" });
  expect((await load()).config.web.port).toBe(9000);
  await writeConfig(file, { overwrite: true });
  expect((await load()).config.web.port).toBe(8080);
});

test("a folder that can't be made is a sentence", async () => {
  await expect(writeConfig("/dev/null/config.yaml")).rejects.toMatchObject({ code: "config.unwritable" });
});

test("the schema takes the template, references and blanks, and refuses what load refuses", () => {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  const validate = ajv.compile(JSON.parse(renderSchema()));
  expect(validate(parse(renderConfig()))).toBe(true);
  expect(validate({ web: { port: `\${PORT}`, public_url: "https://a.example" }, discord: null })).toBe(true);
  expect(validate({ wbe: {} })).toBe(false);
  expect(validate({ web: { port: 0 } })).toBe(false);
  expect(validate({ log: { level: "loud" } })).toBe(false);
});
