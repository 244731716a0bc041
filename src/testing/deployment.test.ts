import { expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { parse } from "yaml";
import { z } from "zod";
import { packageManager } from "../../package.json";
import { renderUnit } from "../cli/service.ts";
import { sectionKeys } from "../config/keys.ts";
import { errorCodes } from "../errors.ts";

// What an admin deploys with, held against what it promises. Neither Docker nor a running systemd is needed.

const root = join(import.meta.dir, "../..");
const read = (file: string) => Bun.file(join(root, file)).text();

// A machine without systemd can run all of wisbot but judge no unit; the continuous integration has it.
const analyzer = Bun.which("systemd-analyze") ?? "";
const judging = test.skipIf(analyzer === "");
if (analyzer === "") console.error("systemd-analyze is not installed: wisbot.service is not judged here.");

/** Runs `systemd-analyze` on the unit as `wisbot service print` writes it. */
async function analyze(...args: string[]): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "wisbot-unit-"));
  try {
    const unit = join(folder, "wisbot.service");
    // verify wants a binary that exists.
    await Bun.write(unit, renderUnit({ binary: [process.execPath], config: "/etc/wisbot/config.yaml" }));
    const child = Bun.spawn([analyzer, ...args, unit], { stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { code: await child.exited, output: out + err };
  } finally {
    await rm(folder, { recursive: true });
  }
}

judging("the unit exposes no more than 1.5 by systemd's own reckoning", async () => {
  const { output } = await analyze("security", "--offline=true", "--no-pager");
  const exposure = /Overall exposure level for wisbot\.service: ([\d.]+)/.exec(output)?.[1];
  expect(Number(exposure)).toBeLessThanOrEqual(1.5);
});

judging("systemd understands every line of the unit", async () => {
  const { code, output } = await analyze("verify", "--man=no");
  expect(output).not.toContain("wisbot.service");
  expect(code).toBe(0);
});

test("the unit leaves the JIT on, keeps a refused config down, and lets nothing into the runtime", async () => {
  const unit = await read("templates/wisbot.service");
  const settings = unit.split("\n").filter((line) => !line.startsWith("#"));
  expect(settings.filter((line) => line.startsWith("MemoryDenyWriteExecute"))).toEqual([]);
  expect(settings).toContain("RestartPreventExitStatus=78");
  expect(settings).toContain("UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN");
  expect(settings).toContain("LoadCredential=discord-token:wisbot.discord-token");
  const stop = settings.find((line) => line.startsWith("TimeoutStopSec="))?.split("=")[1];
  expect(Number(stop)).toBeGreaterThan(DRAIN_SECONDS);
});

/** serve drains for at most 10 s, telemetry flushes for at most 2 s. */
const DRAIN_SECONDS = 12;

const service = z.object({
  image: z.string(),
  ports: z.array(z.string()).optional(),
  profiles: z.array(z.string()).optional(),
  volumes: z.array(z.string()),
  healthcheck: z.object({ test: z.array(z.string()) }),
  security_opt: z.array(z.string()),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  deploy: z
    .object({
      resources: z.object({
        reservations: z.object({
          devices: z.array(z.object({ driver: z.string(), capabilities: z.array(z.string()) })),
        }),
      }),
    })
    .optional(),
});
const composeFile = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()),
});

async function compose() {
  return composeFile.parse(parse(await read("compose.yaml"), { merge: true }));
}

test("compose publishes nothing but the web, and that on this machine only", async () => {
  const { services } = await compose();
  const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
    ports.map((port) => `${name} ${port}`),
  );
  expect(published).toEqual([`wisbot \${WISBOT_PUBLISH:-127.0.0.1:8080}:8080`]);
});

test("compose gives wisbot no rights, a read-only system and time to drain", async () => {
  const { wisbot } = (await compose()).services;
  expect(wisbot).toMatchObject({
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  });
  expect(wisbot?.healthcheck.test).toEqual(["CMD", "/usr/local/bin/wisbot", "health"]);
  expect(Number.parseInt(wisbot?.stop_grace_period ?? "", 10)).toBeGreaterThan(DRAIN_SECONDS);
});

test("compose holds no secret, only the names of variables", async () => {
  const { environment = {} } = (await compose()).services.wisbot ?? {};
  for (const [name, value] of Object.entries(environment)) {
    if (/TOKEN/.test(name)) expect(value).toMatch(/^\$\{\w+:-\}$/);
  }
});

test("one Ollama runs per profile, one of them with the NVIDIA GPU, all on named volumes", async () => {
  const { services, volumes } = await compose();
  const { wisbot, ...models } = services;
  expect(wisbot?.profiles).toBeUndefined();
  expect(Object.values(models).map(({ profiles }) => profiles)).toEqual([["cpu"], ["gpu"], ["amd"]]);
  expect(models["ollama-gpu"]?.deploy?.resources.reservations.devices).toEqual([
    { driver: "nvidia", capabilities: ["gpu"] },
  ]);
  const mounted = Object.values(services).flatMap((one) =>
    one.volumes.map((volume) => volume.split(":")[0] ?? ""),
  );
  expect([...new Set(mounted)].sort()).toEqual(Object.keys(volumes).sort());
});

test("every key that compose sets for wisbot is one that wisbot knows", async () => {
  const { environment = {} } = (await compose()).services.wisbot ?? {};
  const { unknownVariables } = await import("../config/environment.ts");
  expect(unknownVariables(environment)).toEqual([]);
});

test("the image is built with the Bun that the project is pinned to, and runs as nobody in particular", async () => {
  const dockerfile = await read("Dockerfile");
  expect(dockerfile).toContain(`oven/bun:${packageManager.replace("bun@", "")}-slim`);
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  expect(last).toMatch(/\nUSER 65532:65532\n/);
  expect(last).toMatch(/\nSTOPSIGNAL SIGTERM\n/);
  expect(last).toMatch(/\nHEALTHCHECK .*CMD \["\/usr\/local\/bin\/wisbot", "health"\]\n/);
  expect(last).toMatch(/\nENTRYPOINT \["\/usr\/local\/bin\/wisbot"\]\nCMD \["serve"\]\n$/);
});

test("the image's builder gets every file that the build reads, and no more", async () => {
  const lines = (await read(".dockerignore")).split("\n").filter((line) => line && !line.startsWith("#"));
  expect(lines[0]).toBe("*");
  const sent = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const left = lines.filter((line) => !line.startsWith("!") && line !== "*").map((line) => new Glob(line));
  const isSent = (file: string) =>
    sent.some((one) => file === one || file.startsWith(`${one}/`)) &&
    !left.some(
      (glob) =>
        glob.match(file) || file.split("/").some((_, n, parts) => glob.match(parts.slice(0, n).join("/"))),
    );

  const built = await Bun.build({
    entrypoints: [join(root, "src/main.ts")],
    target: "bun",
    packages: "external",
    metafile: true,
  });
  const inputs = Object.keys(built.metafile?.inputs ?? {}).filter((file) => !file.startsWith(".."));
  expect(inputs.length).toBeGreaterThan(20);
  expect(inputs.filter((file) => !isSent(file))).toEqual([]);
  expect(
    (await readdir(root))
      .filter((file) => /^(\.git|\.env|data|config\.yaml|node_modules)$/.test(file))
      .filter(isSent),
  ).toEqual([]);
});

test("operations.md explains every error code, and names only metrics that exist", async () => {
  const guide = await read("docs/operations.md");
  expect(errorCodes.filter((code) => !guide.includes(`\`${code}\``))).toEqual([]);
  const sources = (await read("src/telemetry/metrics.ts")) + (await read("src/telemetry/scrape.ts"));
  const made = [
    ...sources.matchAll(/(seconds|counter|gauge|createCounter)\(\s*"(?:wisbot_)?([a-z_]+)"/g),
  ].map(([, kind, name]) => `${name}${kind === "seconds" ? "_seconds" : kind === "gauge" ? "" : "_total"}`);
  const volumes = ["default", "wisbot"];
  const named = [...guide.matchAll(/\bwisbot_([a-z_]+)/g)].map(([, name = ""]) => name);
  expect(made.length).toBeGreaterThan(25);
  expect(named.filter((name) => !made.includes(name) && !volumes.includes(name))).toEqual([]);
});

test("every YAML setting in operations.md is one that the configuration knows", async () => {
  const guide = await read("docs/operations.md");
  const known = new Set(sectionKeys().map((path) => path.join(".")));
  const named = [...guide.matchAll(/`(data_dir|discord|llm|web|files|jobs|telemetry|log)\.([a-z_]+)`/g)];
  const codes: readonly string[] = errorCodes;
  const unknown = named
    .map(([, section, key]) => `${section}.${key}`)
    .filter((name) => !known.has(name) && !codes.includes(name));
  expect(unknown).toEqual([]);
});
