import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../lib/free-port.ts";
import { lockDataDir } from "../store/lock.ts";
import { runWisbot } from "../testing/command-line.ts";
import { startServe } from "../testing/serve.ts";

// Each command is a process of its own, and a test runs several.
setDefaultTimeout(30_000);

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-admin-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const admin = (...args: string[]) => runWisbot(["admin", ...args], { cwd });

test("a link stands alone on stdout, for a browser to open; stderr says how long it works", async () => {
  const { code, stdout, stderr } = await admin("link");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^http:\/\/localhost:8080\/admin\/enter\/[A-Za-z0-9_-]{22}\n$/);
  expect(stderr).toContain("It works once, within 10 minutes");
  const json = JSON.parse((await admin("link", "--json")).stdout);
  expect(json).toEqual({
    url: expect.stringContaining("/admin/enter/"),
    expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

test("a link signs in to the wisbot that runs, and sign-out ends that and what was not used", async () => {
  const port = freePort();
  const serve = startServe({ cwd, args: ["--no-discord", "--port", String(port)] });
  await serve.ready();
  const link = (await admin("link")).stdout.trim();
  const entered = await fetch(link, { method: "POST", redirect: "manual" });
  expect(entered.status).toBe(303);
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  const history = () => fetch(`http://localhost:${port}/admin/history`, { headers: { cookie } });
  expect((await history()).status).toBe(200);

  await admin("link");
  expect(await admin("sign-out")).toMatchObject({ code: 0, stdout: "Ended: 1 session, 1 unused link.\n" });
  expect((await history()).status).toBe(401);
  expect(JSON.parse((await admin("sign-out", "--json")).stdout)).toEqual({ sessions: 0, links: 0 });
  expect(await serve.kill("SIGTERM")).toBe(0);
});

test("links name the address that serve was started with, and that of the configuration once it has ended", async () => {
  const linkTo = async () => (await runWisbot(["files", "link", "--owner", "me"], { cwd })).stdout;
  const port = freePort();
  const serve = startServe({ cwd, args: ["--no-discord", "--port", String(port)] });
  await serve.ready();
  expect(await linkTo()).toStartWith(`http://localhost:${port}/u/`);
  await serve.kill("SIGKILL");
  using _another = lockDataDir(join(cwd, "data"));
  expect(await linkTo()).toStartWith("http://localhost:8080/u/");
});
