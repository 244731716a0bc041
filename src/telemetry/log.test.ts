import { expect, test } from "bun:test";
import { join } from "node:path";
import { createLog } from "./log.ts";
import { createRedactor } from "./redact.ts";

const redactor = createRedactor([]);

async function linesOf(format: "json" | "pretty", level: "debug" | "warn" = "debug") {
  const lines: string[] = [];
  const log = await createLog({
    config: { format, level },
    redactor,
    active: () => ({ trace_id: "abc" }),
    sink: { write: (line) => lines.push(line) },
  });
  return { log, lines };
}

test("JSON lines have a worded level, an ISO time, the message and the active trace", async () => {
  const { log, lines } = await linesOf("json");
  log.warn({ part: "disk", err: new Error("full") }, "The disk is filling up");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toEndWith("\n");
  const line: unknown = JSON.parse(lines[0] ?? "");
  expect(line).toEqual({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    msg: "The disk is filling up",
    part: "disk",
    trace_id: "abc",
    err: { type: "Error", message: "full", stack: expect.stringContaining("log.test.ts:") },
  });
});

test("pretty lines show level, message, fields and a readable stack", async () => {
  const { log, lines } = await linesOf("pretty");
  log.error({ err: new Error("outer", { cause: new Error("inner") }), part: "disk" }, "Could not write");
  const output = lines.join("");
  expect(output).toMatch(/ERROR: Could not write\n/);
  expect(output).toContain('part: "disk"');
  expect(output).toMatch(/Error: outer\n +at .*log\.test\.ts:\d+/);
  expect(output).toMatch(/Caused by: Error: inner\n/);
});

test("lines below the level are not even put together", async () => {
  const { log, lines } = await linesOf("json", "warn");
  const touchy = {
    get field(): string {
      throw new Error("read");
    },
  };
  log.debug(touchy, "no");
  log.info(touchy, "no");
  log.warn({}, "yes");
  expect(lines).toHaveLength(1);
});

const script = (body: string) => `
  import { createLog } from ${JSON.stringify(join(import.meta.dir, "log.ts"))};
  import { createRedactor } from ${JSON.stringify(join(import.meta.dir, "redact.ts"))};
  const log = await createLog({ config: { format: "json", level: "info" }, redactor: createRedactor([]), active: () => ({}) });
  ${body}`;

test("the last line before an abrupt end is on stderr, and nothing is on stdout", async () => {
  const child = Bun.spawn([process.execPath, "-e", script(`log.info({}, "last words"); process.exit(7);`)], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = [
    await new Response(child.stdout).text(),
    await new Response(child.stderr).text(),
    await child.exited,
  ];
  expect(code).toBe(7);
  expect(out).toBe("");
  expect(err).toContain("last words");
});

test("a reader of the log that goes away does not end the process", async () => {
  const body = `for (let i = 0; i < 2000; i++) { log.info({ i }, "x".repeat(100)); if (i % 100 === 0) await Bun.sleep(0); } console.log("alive");`;
  const child = Bun.spawn(["sh", "-c", `{ "$BUN" -e "$SCRIPT" 2>&1 >&3 | head -n 1 >&2; } 3>&1`], {
    env: { ...process.env, BUN: process.execPath, SCRIPT: script(body) },
    stdout: "pipe",
    stderr: "ignore",
  });
  expect(await new Response(child.stdout).text()).toBe("alive\n");
});

test("a slow reader of the log loses nothing", async () => {
  const body = `for (let i = 0; i < 5000; i++) log.info({ i }, "x".repeat(100));`;
  const child = Bun.spawn(["sh", "-c", `"$BUN" -e "$SCRIPT" 2>&1 | { head -c 1 >/dev/null; cat; } | wc -l`], {
    env: { ...process.env, BUN: process.execPath, SCRIPT: script(body) },
    stdout: "pipe",
  });
  expect((await new Response(child.stdout).text()).trim()).toBe("5000");
});
