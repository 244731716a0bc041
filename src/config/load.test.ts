import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { type ConfigFolder, openConfigFolder } from "../testing/config-folder.ts";
import { type ConfigFlags, defaultConfig, loadConfig } from "./load.ts";

let at: ConfigFolder;
beforeEach(() => {
  at = openConfigFolder();
});
afterEach(() => at[Symbol.dispose]());

describe("a file", () => {
  test("that says nothing means the defaults", async () => {
    for (const text of [
      "",
      "\n",
      "# only a comment\n",
      "---\n",
      "web:\n",
      "web:\n  port:\ndiscord:\n  token:\n",
    ]) {
      at.write(text);
      expect((await at.load()).config).toEqual(defaultConfig(at.path).config);
    }
  });

  test("gives sizes in bytes, durations in milliseconds and ids as text", async () => {
    at.write(
      "files: { max_file_size: 1.5GiB, max_bytes_per_user: 4096 }\nllm: { timeout: 500ms }\ndiscord: { guild_ids: [123456789012345678] }",
    );
    const { config } = await at.load();
    expect(config.files.max_file_size).toBe(1.5 * 2 ** 30);
    expect(config.files.max_bytes_per_user).toBe(4096);
    expect(config.llm.timeout).toBe(500);
    expect(config.discord.guild_ids).toEqual(["123456789012345678"]);
  });

  test("is told every bad field at once, with its line", async () => {
    at.write(
      [
        "wbe: {}",
        "discord:",
        "  guild_ids: [12]",
        "  api: ftp://discord.com",
        "llm:",
        "  hosts:",
        "    - name: a",
        "      slots: 0",
        "    - nmae: b",
        "  timeout: 5",
        "web:",
        "  port: 99999",
        "  prot: 1",
        "files:",
        "  max_file_size: 0MB",
        "  expire_after: -1d",
        "jobs: soon",
        "port: 9000",
        "log: { level: loud }",
      ].join("\n"),
    );
    expect(await at.refusal()).toEqual({
      code: "config.invalid",
      hint: `Correct ${join(at.path, "config.yaml")}, then run: wisbot doctor --only config.valid`,
      lines: [
        "wbe: expected web, got an unknown key (config.yaml:1)",
        "discord.guild_ids[0]: expected a Discord id of 17 to 20 digits, got 12 (config.yaml:3)",
        'discord.api: expected an address that starts with http:// or https://, got "ftp://discord.com" (config.yaml:4)',
        "llm.hosts[0].slots: expected a whole number above zero, got 0 (config.yaml:8)",
        "llm.hosts[1].nmae: expected llm.hosts[1].name, got an unknown key (config.yaml:9)",
        "llm.timeout: expected a duration above zero such as 30s, 24h or 7d, got 5 (config.yaml:10)",
        "web.port: expected a port from 1 to 65535, got 99999 (config.yaml:12)",
        "web.prot: expected web.port, got an unknown key (config.yaml:13)",
        'files.max_file_size: expected a size above zero such as 250MB or 2GiB, got "0MB" (config.yaml:15)',
        'files.expire_after: expected a duration above zero such as 30s, 24h or 7d, got "-1d" (config.yaml:16)',
        'jobs: expected keys and values, got "soon" (config.yaml:17)',
        "port: expected web.port, got an unknown key (config.yaml:18)",
        'log.level: expected one of debug, info, warn, error, got "loud" (config.yaml:19)',
      ],
    });
  });

  test("with a key twice or broken YAML is told where", async () => {
    at.write("web:\n  port: 1\n  port: 2\nlgo: {}\n");
    expect((await at.refusal()).lines).toEqual([
      "expected each key once, got a key a second time (config.yaml:3)",
      "lgo: expected log, got an unknown key (config.yaml:4)",
    ]);
    at.write("web:\n  port: 1\n discord: [\n");
    const { lines } = await at.refusal();
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^expected YAML, got an error: .* \(config\.yaml:[34]\)$/);
  });

  test("that is a list, or no text at all, is refused in a sentence", async () => {
    at.write("- web\n");
    expect((await at.refusal()).lines).toEqual([
      "expected sections such as web: and files:, got a list (config.yaml:1)",
    ]);
    writeFileSync(join(at.path, "config.yaml"), new Uint8Array([0xff, 0xfe, 0x00]));
    await expect(at.load()).rejects.toThrow(/can't be read: it is not UTF-8 text/);
    rmSync(join(at.path, "config.yaml"));
    mkdirSync(join(at.path, "config.yaml"));
    await expect(at.load()).rejects.toThrow(/can't be read: it is a folder/);
  });

  test("that was named and is missing is config.missing, except where it may be", async () => {
    expect((await at.refusal({}, { config: "other.yaml" })).code).toBe("config.missing");
    expect((await at.refusal({ WISBOT_CONFIG: "other.yaml" })).code).toBe("config.missing");
    const input = { flags: { config: "sub/other.yaml" }, env: {}, cwd: at.path, missingIsFine: true };
    const loaded = await loadConfig(input);
    expect(loaded.file).toBeUndefined();
    expect(loaded.dataDir).toBe(join(at.path, "sub/data"));
  });

  test("is taken from the first place that has one", async () => {
    const port = async (env: Record<string, string> = {}, flags: ConfigFlags = {}) =>
      (await at.load(env, flags)).config.web.port;
    mkdirSync(join(at.path, "xdg/wisbot"), { recursive: true });
    at.write("web: { port: 1001 }", "xdg/wisbot/config.yaml");
    const env = { XDG_CONFIG_HOME: join(at.path, "xdg") };
    expect(await port(env)).toBe(1001);
    at.write("web: { port: 1002 }");
    expect(await port(env)).toBe(1002);
    at.write("web: { port: 1003 }", "named.yaml");
    expect(await port({ ...env, WISBOT_CONFIG: "named.yaml" })).toBe(1003);
    at.write("web: { port: 1004 }", "flag.yaml");
    expect(await port({ ...env, WISBOT_CONFIG: "named.yaml" }, { config: "flag.yaml" })).toBe(1004);
  });

  test("with anything in it never does worse than config.invalid", async () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc
        .array(
          fc.constantFrom(
            "web:",
            "  port: ",
            "discord:\n",
            "*a ",
            "&a ",
            "!!int ",
            "- ",
            "{",
            "]",
            "'",
            "\t",
            `\${X}`,
            "? ",
            "__proto__: 1\n",
            "<<: ",
            "|\n",
            "%",
          ),
        )
        .map((parts) => parts.join("")),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        at.write(text);
        const outcome = await at.load().catch((error: unknown) => error);
        if (outcome instanceof Error) expect(isWisError(outcome, "config.invalid")).toBe(true);
        else expect(outcome).toHaveProperty("config");
      }),
      { numRuns: 300 },
    );
  });
});

describe("files", () => {
  test("a quota that is for nobody is refused with its line", async () => {
    at.write(
      [
        "files:",
        "  quotas:",
        "    - users: [123456789012345678]",
        "      max_files: 5",
        "    - max_bytes: 5GB",
        "    - roles: []",
      ].join("\n"),
    );
    expect((await at.refusal()).lines).toEqual([
      "files.quotas[1]: expected users, roles or servers that it is for, got keys and values (config.yaml:5)",
      "files.quotas[2].roles: expected at least one id, got a list (config.yaml:6)",
    ]);
  });

  test("are kept 30 days at most, or as long as all are; less than that is refused with its line", async () => {
    const DAY = 86_400_000;
    at.write("files:\n  expire_after: 60d\n");
    expect((await at.load()).config.files.max_expire_after).toBe(60 * DAY);
    expect((await at.load({ WISBOT_FILES__EXPIRE_AFTER: "1d" })).config.files.max_expire_after).toBe(
      30 * DAY,
    );
    const text = [
      "files:",
      "  expire_after: 10d",
      "  max_expire_after: 9d",
      "  quotas:",
      "    - users: [123456789012345678]",
      "      max_expire_after: 5d",
      "    - users: [123456789012345678]",
      "      expire_after: 20d",
      "      max_expire_after: 19d",
      "    - users: [123456789012345678]",
      "      expire_after: 20d",
    ].join("\n");
    at.write(text);
    expect((await at.refusal()).lines).toEqual([
      'files.max_expire_after: expected 10 days or more, as long as expire_after, got "9d" (config.yaml:3)',
      'files.quotas[0].max_expire_after: expected 10 days or more, as long as expire_after, got "5d" (config.yaml:6)',
      'files.quotas[1].max_expire_after: expected 20 days or more, as long as expire_after, got "19d" (config.yaml:9)',
    ]);
  });

  test("in an S3 store are refused without one", async () => {
    at.write("files:\n  max_file_size: 1GB\n  store: s3\n");
    expect((await at.refusal()).lines).toEqual([
      'files.store: expected disk, or files.s3 beside it to say where the S3 store is, got "s3" (config.yaml:3)',
    ]);
    at.write("files:\n  s3:\n    endpoint: https://s3.example\n    bukcet: files\n");
    expect((await at.refusal()).lines).toEqual([
      "files.s3.bucket: expected text without spaces, got nothing (config.yaml:2)",
      "files.s3.access_key_id: expected text without spaces, got nothing (config.yaml:2)",
      "files.s3.secret_access_key: expected text without spaces, got nothing (config.yaml:2)",
      "files.s3.bukcet: expected files.s3.bucket, got an unknown key (config.yaml:4)",
    ]);
  });
});

test("the data dir is the flag's, the environment's, the file's, systemd's, or beside the file", async () => {
  const dataDir = async (env: Record<string, string> = {}, flags: ConfigFlags = {}) =>
    (await at.load(env, flags)).dataDir;
  const state = { STATE_DIRECTORY: "/var/lib/wisbot:/var/lib/other" };
  expect(await dataDir()).toBe(join(at.path, "data"));
  expect(await dataDir(state)).toBe("/var/lib/wisbot");
  mkdirSync(join(at.path, "etc"));
  at.write("data_dir: ../kept", "etc/config.yaml");
  const named = { WISBOT_CONFIG: "etc/config.yaml" };
  expect(await dataDir({ ...state, ...named })).toBe(join(at.path, "kept"));
  expect(await dataDir({ ...state, ...named, WISBOT_DATA_DIR: "mine" })).toBe(join(at.path, "mine"));
  expect(await dataDir({ WISBOT_DATA_DIR: "mine" }, { dataDir: "flag" })).toBe(join(at.path, "flag"));
});
