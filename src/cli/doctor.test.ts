import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckResult } from "../doctor/run.ts";
import { runWisbot } from "../testing/command-line.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-doctor-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function doctor(...args: string[]): Promise<{ code: number; found: CheckResult[]; stderr: string }> {
  const { code, stdout, stderr } = await runWisbot(["doctor", "--json", ...args], { cwd });
  return { code, found: JSON.parse(stdout), stderr };
}

test("--json answers an array of one shape", async () => {
  const { found } = await doctor("--preflight");
  const codes = found.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes).toContain("config.valid");
  for (const one of found) {
    expect(Object.keys(one)).toEqual(["code", "severity", "title", "detail", "fix", "ms"]);
    expect(one.code).toMatch(/^[a-z_]+\.[a-z_]+$/);
    expect(["ok", "warn", "fail", "crash", "skip"]).toContain(one.severity);
    if (one.severity === "warn" || one.severity === "fail") expect(one.fix).toBeString();
    expect(one.detail).not.toBe("");
    expect(one.ms).toBeNumber();
  }
});

test("a bad config is one failure with all problems, the rest is skipped, and it ends with 78", async () => {
  writeFileSync(join(cwd, "config.yaml"), "wbe: {}\nweb:\n  port: 0\n");
  chmodSync(join(cwd, "config.yaml"), 0o600);
  const { code, found } = await doctor();
  expect(code).toBe(78);
  const [valid, ...rest] = found;
  expect(valid).toMatchObject({ code: "config.valid", severity: "fail" });
  expect(valid?.detail).toContain("wbe: expected web, got an unknown key (config.yaml:1)");
  expect(valid?.detail).toContain("web.port: expected a port from 1 to 65535, got 0 (config.yaml:3)");
  expect(rest.length).toBeGreaterThan(3);
  expect(new Set(rest.map(({ severity }) => severity))).toEqual(new Set(["skip"]));
});

test("a named config that is missing ends with 78 and says how to write it", async () => {
  const { code, found } = await doctor("--only", "config.valid", "--config", "nope.yaml");
  expect(code).toBe(78);
  expect(found).toMatchObject([
    { code: "config.valid", severity: "fail", fix: expect.stringContaining("init") },
  ]);
});

test("a config that others can change is a warning with its chmod", async () => {
  const file = join(cwd, "config.yaml");
  writeFileSync(file, "web: { port: 9000 }");
  chmodSync(file, 0o666);
  const { code, found } = await doctor("--only", "config.private");
  expect(code).toBe(0);
  expect(found).toMatchObject([{ severity: "warn", fix: `Run: chmod go-w ${file}` }]);
});

test("--only takes several codes and refuses one that does not exist, listing them", async () => {
  const { found } = await doctor("--only", "config.valid,web.port");
  expect(found.map(({ code }) => code)).toEqual(["config.valid", "web.port"]);
  const refused = await runWisbot(["doctor", "--only", "config.valid,web.prot"], { cwd });
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^Error: There is no check web\.prot\.\nTry: .*config\.valid.*web\.port/);
});

test("for people it names each check with its mark, and counts them", async () => {
  const { code, stdout } = await runWisbot(["doctor", "--only", "config.valid"], { cwd });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^config\n {2}✓ config\.valid Configuration: .*\n\n1 fine\n$/);
});
