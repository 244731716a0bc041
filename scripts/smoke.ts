// Runs the built executable as a newcomer would: alone in an empty folder, with nothing of this checkout in reach.

import { createHash, randomBytes } from "node:crypto";
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../package.json";
import { freePort } from "../src/lib/free-port.ts";
import { root } from "./run.ts";

const folder = await mkdtemp(join(tmpdir(), "wisbot-smoke-"));
const port = freePort();
const env = { HOME: folder, PATH: "/usr/bin:/bin", WISBOT_WEB__PORT: String(port) };
const UPLOAD_BYTES = 20_000_000;

function must(holds: boolean, what: string, seen: unknown): void {
  if (!holds) throw new Error(`${what}; got ${typeof seen === "string" ? seen : Bun.inspect(seen)}`);
  console.error(`  ✓ ${what}`);
}

function start(...args: string[]) {
  return Bun.spawn([join(folder, "wisbot"), ...args], { cwd: folder, env, stdin: "ignore", stderr: "pipe" });
}

async function wisbot(...args: string[]): Promise<string> {
  const child = start(...args);
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  must(code === 0, `wisbot ${args.join(" ")}`, `exit ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** The address of the ready line. */
async function readyAt(served: ReturnType<typeof start>): Promise<string> {
  let shown = "";
  for await (const chunk of served.stdout.pipeThrough(new TextDecoderStream())) {
    shown += chunk;
    const url = /ready at (\S+)/.exec(shown)?.[1];
    if (url) return url;
  }
  throw new Error(`serve ended without a ready line: ${shown}${await new Response(served.stderr).text()}`);
}

async function pageAndStyle(url: string): Promise<void> {
  const page = await (await fetch(url)).text();
  const style = /href="([^"]+\.css[^"]*)"/.exec(page)?.[1] ?? "none";
  const answered = await fetch(new URL(style, url));
  must(answered.status === 200, "the home page and its style are inside", `${style}: ${answered.status}`);
}

async function upAndDown(): Promise<void> {
  const bytes = randomBytes(UPLOAD_BYTES);
  const link: { url: string } = JSON.parse(await wisbot("files", "link", "--owner", "smoke", "--json"));
  const sent = await fetch(`${link.url}/smoke.bin`, { method: "PUT", body: bytes });
  const share = (await sent.text()).trim();
  must(
    sent.status === 201,
    `an upload through ${link.url.replace(/\/u\/.*/, "/u/…")}`,
    `${sent.status} ${share}`,
  );
  const back = new Uint8Array(await (await fetch(`${share}/download`)).arrayBuffer());
  const sum = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
  must(sum(back) === sum(bytes), "the download has the same SHA-256", `${back.length} bytes`);
}

try {
  await copyFile(`${root}/dist/wisbot`, join(folder, "wisbot"));
  const shown = await wisbot("--version");
  must(shown.startsWith(`wisbot ${version} (`), "it says its version", shown);
  await wisbot("init", "--yes");
  await wisbot("doctor", "--preflight");

  const served = start("serve");
  try {
    const url = await readyAt(served);
    await pageAndStyle(url);
    await wisbot("health");
    await upAndDown();
    await wisbot("files", "verify");
    served.kill("SIGTERM");
    const code = await served.exited;
    must(code === 0, "SIGTERM ends it with 0", `exit ${code}\n${await new Response(served.stderr).text()}`);
  } finally {
    served.kill("SIGKILL");
    await served.exited;
  }
  const left = (await readdir(folder)).sort();
  const ours = ["config.schema.json", "config.yaml", "data", "wisbot"];
  must(Bun.deepEquals(left, ours), "it left nothing else behind", left);
} finally {
  await rm(folder, { recursive: true, force: true });
}
