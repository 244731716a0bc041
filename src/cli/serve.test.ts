import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDataDir } from "../store/lock.ts";
import { type Ran, runWisbot } from "../testing/command-line.ts";
import { openTestApp } from "../testing/open-test-app.ts";
import { type Serve, startServe } from "../testing/serve.ts";

const WEBHOOK_EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";

async function openFolder() {
  const path = await mkdtemp(join(tmpdir(), "wisbot-serve-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function states(url: string): Promise<{ status: string; parts: Record<string, { state: string }> }> {
  return (await fetch(`${url}/ready`)).json() as ReturnType<typeof states>;
}

function said({ stdout, stderr }: Ran): string {
  expect(stdout).toBe("");
  return stderr;
}

const logged = (serve: Serve) =>
  serve
    .log()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): { level: string; msg: string; trace_id?: string } => JSON.parse(line));

test("the first start needs nothing: it writes config.yaml, serves, and says once how to turn Discord on", async () => {
  await using folder = await openFolder();
  const serve = startServe({ cwd: folder.path, args: ["--port", "0"] });
  const url = await serve.ready();
  expect((await stat(join(folder.path, "config.yaml"))).mode & 0o777).toBe(0o600);
  expect(existsSync(join(folder.path, "config.schema.json"))).toBe(true);
  expect((await fetch(`${url}/live`)).status).toBe(200);
  expect(await states(url)).toMatchObject({
    parts: { database: { state: "ok" }, discord: { state: "off" } },
  });
  expect(await serve.kill("SIGTERM")).toBe(0);
  expect(serve.log().match(/Discord is off/g)).toHaveLength(1);
  expect(serve.log()).toContain("$DISCORD_TOKEN");
}, 20_000);

test("where no config file can be written it runs on its defaults and says so", async () => {
  await using folder = await openFolder();
  const serve = startServe({
    cwd: folder.path,
    globals: ["--config", "/proc/wisbot/config.yaml", "--data-dir", join(folder.path, "data")],
    args: ["--port", "0", "--no-discord"],
  });
  const url = await serve.ready();
  expect((await fetch(`${url}/live`)).status).toBe(200);
  expect(serve.log()).toContain("WisBot runs on its defaults");
  expect(serve.log()).not.toContain("Discord is off");
  expect(await serve.kill("SIGINT")).toBe(0);
}, 20_000);

test("a bad configuration ends with 78 and every problem, before anything is made", async () => {
  await using folder = await openFolder();
  await writeFile(join(folder.path, "config.yaml"), "web:\n  port: 0\nfiles:\n  max_file_sise: 1\n");
  const ran = await runWisbot(["serve"], { cwd: folder.path });
  expect(ran.code).toBe(78);
  expect(said(ran)).toContain("web.port: expected a port from 1 to 65535, got 0 (config.yaml:2)");
  expect(ran.stderr).toContain("max_file_size");
  expect(existsSync(join(folder.path, "data"))).toBe(false);
});

test("a taken port ends with 1 and says what to do, before the database is opened", async () => {
  await using folder = await openFolder();
  using other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const ran = await runWisbot(["serve", "--port", String(other.port)], { cwd: folder.path });
  expect(ran.code).toBe(1);
  expect(said(ran)).toContain(`Error: Port ${other.port} is in use`);
  expect(ran.stderr).toContain("Try: ");
  expect(existsSync(join(folder.path, "data/wisbot.db"))).toBe(false);
});

test("a second serve on one data dir is refused, and the first goes on", async () => {
  await using folder = await openFolder();
  const serve = startServe({ cwd: folder.path, args: ["--port", "0", "--no-discord"] });
  const url = await serve.ready();
  const ran = await runWisbot(["serve", "--port", "0"], { cwd: folder.path });
  expect(ran.code).toBe(1);
  expect(said(ran)).toContain("Another WisBot has the data dir");
  expect((await fetch(`${url}/live`)).status).toBe(200);
  await serve.kill("SIGTERM");
}, 20_000);

test("a command that has the data dir for a moment does not keep serve from starting", async () => {
  await using folder = await openFolder();
  using held = lockDataDir(join(folder.path, "data"));
  expect(held).toBeDefined();
  const serve = startServe({ cwd: folder.path, args: ["--port", "0", "--no-discord"] });
  // It is written before the data dir is asked for.
  while (!existsSync(join(folder.path, "config.yaml"))) await new Promise((resolve) => setImmediate(resolve));
  held?.[Symbol.dispose]();
  expect((await fetch(`${await serve.ready()}/live`)).status).toBe(200);
  expect(await serve.kill("SIGTERM")).toBe(0);
}, 20_000);

for (const [what, make, sentence] of [
  [
    "corrupt",
    (path: string) => writeFile(path, "this is no database, and was none before".repeat(50)),
    "damaged",
  ],
  ["newer", makeNewer, "newer"],
] as const) {
  test(`a ${what} database ends with 1 and stays as it is`, async () => {
    await using folder = await openFolder();
    await mkdir(join(folder.path, "data"));
    const path = join(folder.path, "data/wisbot.db");
    await make(path);
    const before = await readFile(path);
    const ran = await runWisbot(["serve", "--port", "0"], { cwd: folder.path });
    expect(ran.code).toBe(1);
    expect(said(ran)).toContain(sentence);
    expect((await readFile(path)).equals(before)).toBe(true);
  });
}

async function makeNewer(path: string): Promise<void> {
  using database = new Database(path);
  database.run(
    "create table __drizzle_migrations (id integer primary key, hash text not null, created_at numeric)",
  );
  database.run(
    "insert into __drizzle_migrations (hash, created_at) values ('of the future', 99999999999999)",
  );
}

test("an unwritable data dir ends with 1 and names the folder", async () => {
  await using folder = await openFolder();
  const ran = await runWisbot(["--data-dir", "/proc/wisbot", "serve", "--port", "0"], { cwd: folder.path });
  expect(ran.code).toBe(1);
  expect(said(ran)).toContain("/proc/wisbot");
  expect(ran.stderr).toContain("Try: ");
});

test("a token that Discord refuses at the start ends it with 78 and a sentence", async () => {
  await using app = await openTestApp();
  app.discord.revokeToken();
  const ran = await app.run("serve");
  expect(ran.code).toBe(78);
  expect(ran.stderr).toContain("Error: Discord refused the bot token");
  expect(ran.stderr).toContain("Try: ");
  expect(ran.stderr + ran.stdout).not.toContain(app.discord.token);
}, 20_000);

test("while Discord and Ollama are away the web works, and both join when they are back", async () => {
  await using app = await openTestApp();
  app.discord.outage(true);
  await app.ollama.stop();
  const serve = await app.start("--no-discord");
  await serve.kill("SIGTERM");
  const again = startServe({ cwd: app.folder, env: { DISCORD_TOKEN: app.discord.token } });
  await again.ready();
  await again.says("ollama.reachable");
  await again.says("Discord can't be reached");
  expect(await states(app.url)).toMatchObject({
    status: "degraded",
    parts: { discord: { state: "degraded" }, llm: { state: "degraded" }, database: { state: "ok" } },
  });
  app.discord.outage(false);
  await again.says("Discord: connected");
  expect(await states(app.url)).toMatchObject({ parts: { discord: { state: "ok" } } });
  expect(await again.kill("SIGTERM")).toBe(0);
}, 30_000);

test("SIGTERM lets an answer in progress come to its end, and takes no new ones", async () => {
  await using app = await openTestApp({ ollama: { manual: true } });
  const serve = await app.start();
  const asked = app.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
  const chat = await app.ollama.nextChat();
  await chat.token("Because ");
  const ended = serve.kill("SIGTERM");
  await serve.says("finishing what runs");
  const late = app.discord.invoke({ user: "ben", command: "wis help" });
  await late.waitFor(({ content }) => content.includes("shutting down"));
  await chat.token("it is so.");
  await chat.finish();
  expect(await ended).toBe(0);
  expect(asked.message()?.content).toContain("Because it is so.");
  expect(asked.message()?.buttons.map(({ label }) => label)).not.toContain("Stop");
}, 20_000);

test("what is unfinished when the time is up is marked interrupted", async () => {
  await using app = await openTestApp({ ollama: { trouble: { kind: "hang" } } });
  const serve = await app.start();
  const asked = app.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
  await asked.response();
  await app.ollama.nextChat();
  const bytes = new TextEncoder().encode("never all of it");
  const file = { name: "late.txt", bytes, trouble: { kind: "stall", after: 5 } } as const;
  const sent = app.discord.invoke({ command: "wis upload", options: { file } });
  await sent.response();
  expect(await serve.kill("SIGTERM")).toBe(0);
  expect(asked.message()?.content).toContain("Interrupted");
  expect(sent.message()?.content).toContain("WisBot is shutting down.");
  expect(await app.blobs()).toEqual([]);
  expect((await app.run("files", "list", "--json")).stdout).toBe("[]\n");
}, 20_000);

test("it ends by itself, with 0, while Discord, the collector and the database hang, and says what it left", async () => {
  await using app = await openTestApp({ ollama: { trouble: { kind: "hang" } } });
  const serve = await app.start();
  const asked = app.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
  await asked.response();
  await app.ollama.nextChat();
  app.discord.fail(WEBHOOK_EDIT, { kind: "hang", times: 1_000 });
  app.otlp.behave("hang");
  using database = new Database(join(app.folder, "data/wisbot.db"));
  database.run("BEGIN IMMEDIATE");
  expect(await serve.kill("SIGTERM")).toBe(0);
  expect(serve.log()).toContain("Left unfinished, because its time to end was up: what was asked in Discord");
  expect(serve.log()).toContain("WisBot ended before the collector took them");
}, 30_000);

test("a second signal ends it at once", async () => {
  await using app = await openTestApp({ ollama: { trouble: { kind: "hang" } } });
  const serve = await app.start();
  app.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
  await app.ollama.nextChat();
  const ended = serve.kill("SIGTERM");
  await serve.says("finishing what runs");
  serve.kill("SIGTERM");
  expect(await ended).toBe(1);
}, 20_000);

test("a question's whole way is one trace, and the error id that a person sees leads to it", async () => {
  await using app = await openTestApp({ ollama: { answer: ["It ", "is so."] } });
  const { discord, ollama, otlp } = app;
  const serve = await app.start();
  const asked = discord.invoke({ command: "wis llm", options: { prompt: "Why is the secret word heron?" } });
  await asked.waitFor(({ content }) => content.includes("It is so."));
  const chat = await otlp.waitFor(({ name }) => name === "chat llama3.2");
  const root = await otlp.waitFor(({ name }) => name === "discord.interaction wis llm");
  expect(chat.traceId).toBe(root.traceId);
  expect(otlp.trace(root.traceId)).not.toContain("heron");

  ollama.set({ models: [] });
  const failing = discord.invoke({ command: "wis llm", options: { prompt: "And now?" } });
  const { content } = await failing.waitFor(({ content }) => content.includes("Error id"));
  expect(content).toContain("ollama pull llama3.2");
  const errorId = /[0-9a-f]{32}/.exec(content)?.[0] ?? "none";
  await otlp.waitFor(({ name, traceId }) => name === "discord.interaction wis llm" && traceId === errorId);
  expect(otlp.trace(errorId)).toContain("llm.model_missing");
  const recorded = logged(serve).filter(({ level, trace_id }) => level === "error" && trace_id === errorId);
  expect(recorded).toHaveLength(1);
}, 20_000);

test("an upload's way through the web is one trace that names neither ticket nor file", async () => {
  await using app = await openTestApp();
  await app.start("--no-discord");
  const link = await app.link();
  const sent = await fetch(`${link}/secret-plan.txt`, { method: "PUT", body: "bytes" });
  const share = (await sent.text()).trim();
  await (await fetch(`${share}/download`)).text();
  const up = await app.otlp.waitFor(({ name }) => name.startsWith("PUT /u/:ticket"));
  const down = await app.otlp.waitFor(({ name }) => name === "GET /f/:id/download");
  const [ticket, id] = [link, share].map((url) => url.split("/").at(-1) ?? "");
  for (const text of [app.otlp.trace(up.traceId), app.otlp.trace(down.traceId)]) {
    expect(text).toContain("blob");
    for (const secret of [ticket, id, "secret-plan"]) expect(text).not.toContain(secret ?? "");
  }
}, 20_000);
