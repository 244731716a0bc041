import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanEnv, runWisbot } from "../testing/command-line.ts";
import { version } from "../version.ts";
import { liveUrl } from "./health.ts";
import { table } from "./output.ts";
import { renderUnit } from "./service.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-main-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const run = (...args: string[]) => runWisbot(args, { cwd });

describe("the command line", () => {
  test("names every command", async () => {
    const { code, stdout, stderr } = await run("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of ["init", "serve", "doctor", "files", "health", "service"]) {
      expect(stdout).toContain(`\n  ${name} `);
    }
  });

  test("tells version and commit", async () => {
    expect((await run("--version")).stdout).toBe(`wisbot ${version} (source)\n`);
  });

  test.each([
    ["srve", /^Error: Unknown command 'srve'\.\nTry: serve, or wisbot --help\n$/],
    ["serve --prot 3", /^Error: Unknown option '--prot'\.\nTry: --port, or wisbot serve --help\n$/],
    ["serve --port 70000", /^Error: .*'70000' is invalid.*65535\.\nTry: wisbot serve --help\n$/],
    ["doctor --log-level loud", /^Error: .*debug, info, warn, error\.\nTry: wisbot doctor --help\n$/],
    ["--config", /^Error: .*argument missing\.\nTry: wisbot --help\n$/],
    ["", /^Usage: wisbot/],
  ])("ends %p with 2 and a hint, and nothing on stdout", async (line, told) => {
    const { code, stdout, stderr } = await run(...line.split(" ").filter(Boolean));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(told);
  });

  test("takes the options for all commands before and after them", async () => {
    for (const line of [
      ["--config", "x.yaml", "doctor"],
      ["doctor", "--config", "x.yaml"],
    ]) {
      const { code, stdout } = await run(...line, "--only", "config.valid");
      expect(code).toBe(78);
      expect(stdout).toContain(join(cwd, "x.yaml"));
    }
  });

  test("shows no stack, except with --log-level debug: then the whole chain", async () => {
    const plain = await run("health", "--config", ".");
    expect(plain.stderr).toMatch(/^Error: .* it is a folder\.\nTry: .*\n$/);
    const debug = await run("health", "--config", ".", "--log-level", "debug");
    expect(debug.stderr).toMatch(/src\/config\/load\.ts:\d+/);
    expect(debug.stderr).toContain("Caused by: ");
  });

  test("is quiet when whoever reads it stops early", async () => {
    const main = join(import.meta.dir, "../main.ts");
    const script = '"$0" "$1" service print 2>err | true; echo "$' + '{PIPESTATUS[0]}"';
    const child = Bun.spawn(["bash", "-c", script, process.execPath, main], { cwd, env: cleanEnv({ cwd }) });
    expect(await new Response(child.stdout).text()).toBe("0\n");
    expect(await Bun.file(join(cwd, "err")).text()).not.toContain("EPIPE");
  });
});

describe("what nobody caught", () => {
  test.each([
    ["throw", "setImmediate(() => { throw new Error('lost', { cause: new Error('deep') }) })"],
    ["rejection", "Promise.reject(new Error('lost', { cause: new Error('deep') }))"],
  ])("is told with its causes and ends the process with 1: a %s", async (_kind, code) => {
    const source = `import { recordFatal } from ${JSON.stringify(join(import.meta.dir, "fatal.ts"))}; recordFatal(); setInterval(() => {}, 1000); ${code};`;
    writeFileSync(join(cwd, "defect.ts"), source);
    const child = Bun.spawn([process.execPath, "defect.ts"], { cwd, env: cleanEnv({ cwd }), stderr: "pipe" });
    const [exitCode, stderr] = await Promise.all([child.exited, new Response(child.stderr).text()]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^Error: .*\nTry: .*\nError: lost[\s\S]*defect\.ts[\s\S]*Caused by: Error: deep/);
  });

  test("goes to whoever took over last, who may take time", async () => {
    const fatal = JSON.stringify(join(import.meta.dir, "fatal.ts"));
    const source = `import { recordFatal } from ${fatal}; recordFatal(); recordFatal(async (error, doing) => { await Bun.sleep(1); console.log(doing, error.message); }); throw new Error("lost");`;
    writeFileSync(join(cwd, "defect.ts"), source);
    const child = Bun.spawn([process.execPath, "defect.ts"], { cwd, env: cleanEnv({ cwd }), stderr: "pipe" });
    expect(await new Response(child.stdout).text()).toBe("uncaught exception lost\n");
    expect(await child.exited).toBe(1);
  });
});

describe("health", () => {
  test("asks the loopback where wisbot listens everywhere", () => {
    expect(liveUrl({ host: "0.0.0.0", port: 80 })).toBe("http://127.0.0.1:80/live");
    expect(liveUrl({ host: "::", port: 80 })).toBe("http://[::1]:80/live");
    expect(liveUrl({ host: "files.example", port: 80 })).toBe("http://files.example:80/live");
  });

  test("is 0 when it answers well, else 1, also on a bad config", async () => {
    let status = 200;
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(null, { status }) });
    const health = (port: string) =>
      runWisbot(["health"], { cwd, env: { WISBOT_WEB__PORT: port, WISBOT_WEB__HOST: "0.0.0.0" } });
    try {
      const port = String(server.port);
      expect(await health(port)).toEqual({ code: 0, stdout: "alive\n", stderr: "" });
      status = 500;
      expect((await health(port)).code).toBe(1);
      await server.stop(true);
      const refused = await health(port);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toMatch(/^Error: No wisbot answers at .*\nTry: /);
      expect((await health("none")).code).toBe(1);
    } finally {
      await server.stop(true);
    }
  });
});

describe("service print", () => {
  test("gives a unit for this binary and config", async () => {
    const { code, stdout } = await run("--config", "my config.yaml", "service", "print");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ExecStart=\S+ \S+main\.ts --config "\/.*\/my config\.yaml" serve$/m);
    expect(stdout).not.toContain("{{");
  });

  test("keeps what systemd would expand", () => {
    const unit = renderUnit({ binary: ["/opt/100%/wisbot"], config: '/a "b"/c.yaml' });
    expect(unit).toContain('ExecStart=/opt/100%%/wisbot --config "/a \\"b\\"/c.yaml" serve');
  });
});

test("a table keeps its columns with wide characters and colours", () => {
  expect(
    table([
      ["名前", "x"],
      ["\x1b[31ma\x1b[39m", "y", ""],
    ]),
  ).toBe("名前  x\n\x1b[31ma\x1b[39m     y");
});
