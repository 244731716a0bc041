import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ShownMessage } from "./discord/index.ts";
import { startOllama } from "./ollama.ts";
import { openTestApp, type TestApp } from "./open-test-app.ts";
import { pdfOf, streamOf } from "./pdf.ts";

// What people do with the LLM, through the front door: a real serve, real discord.js, and hosts that say what they were
// asked.

const ended = ({ buttons, content }: ShownMessage) =>
  content !== "" && !buttons.some(({ label }) => label === "Stop");

/** Asks with /wis llm and waits for the whole answer. */
async function ask(
  { discord }: TestApp,
  input: { user: string; channel?: string; prompt: string; model?: string },
) {
  const { prompt, model, ...who } = input;
  const options = { prompt, ...(model !== undefined && { model }) };
  const asked = discord.invoke({ ...who, command: "wis llm", options });
  return asked.waitFor(ended);
}

/** Replies to an answer and waits for the next one. */
async function reply(
  { discord }: TestApp,
  input: { user: string; channel?: string; to: ShownMessage; content: string },
) {
  const { to, ...writing } = input;
  const said = discord.say({ ...writing, replyTo: to });
  return discord.waitForMessage((message) => message.replyTo === said.id && ended(message), {
    user: input.user,
    ...(input.channel !== undefined && { channel: input.channel }),
  });
}

/** What the model was given with the last question, as one text. */
function lastPrompt({ ollama }: TestApp): string {
  const chat = ollama.requests.findLast(({ path }) => path === "/api/chat");
  if (!chat) throw new Error("no host was asked");
  return JSON.stringify((chat.body as { messages: unknown }).messages);
}

/** Every byte that wisbot has stored. */
async function storedBytes({ folder }: TestApp): Promise<Buffer> {
  const names = await readdir(join(folder, "data"), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const contents = files.map(({ parentPath, name }) => Bun.file(join(parentPath, name)).bytes());
  return Buffer.concat(await Promise.all(contents));
}

/** Writes other model servers into config.yaml. */
async function setHosts({ folder }: TestApp, hosts: object[]): Promise<void> {
  const file = join(folder, "config.yaml");
  const config = await Bun.file(file).json();
  await Bun.write(file, JSON.stringify({ ...config, llm: { ...config.llm, hosts } }));
}

const twoServers = {
  people: [{ name: "ada" }, { name: "bob" }, { name: "cyd" }],
  guilds: [
    { name: "Engines", channels: [{ name: "general" }] },
    { name: "Looms", channels: [{ name: "weaving" }] },
  ],
};

test("two people talk in one channel and in two servers, and not a word crosses over", async () => {
  await using app = await openTestApp({
    discord: twoServers,
    ollama: { answer: (prompt) => [`heard: ${prompt}`] },
  });
  await app.start();
  const ada = await ask(app, { user: "ada", channel: "general", prompt: "My number is 1815." });
  const bob = await ask(app, { user: "bob", channel: "general", prompt: "My number is 1912." });
  await reply(app, { user: "ada", channel: "general", to: ada, content: "What is it?" });
  expect(lastPrompt(app)).toContain("1815");
  expect(lastPrompt(app)).not.toContain("1912");
  await reply(app, { user: "bob", channel: "general", to: bob, content: "What is it?" });
  expect(lastPrompt(app)).toContain("1912");
  expect(lastPrompt(app)).not.toContain("1815");
  await ask(app, { user: "ada", channel: "weaving", prompt: "And here?" });
  expect(lastPrompt(app)).not.toContain("1815");
});

test("a third waits, and sees the place in the queue move", async () => {
  await using app = await openTestApp({ discord: twoServers, ollama: { manual: true } });
  await app.start();
  const asked = ["ada", "bob", "cyd"].map((user) =>
    app.discord.invoke({ user, channel: "general", command: "wis llm", options: { prompt: `from ${user}` } }),
  );
  const chats = [await app.ollama.nextChat()];
  const last = asked[2];
  await last?.waitFor(({ content }) => content.includes("place 2"));
  await chats[0]?.token("Here is an answer that is long enough to be shown.");
  await chats[0]?.finish();
  await last?.waitFor(({ content }) => content.includes("place 1"));
  for (const _ of ["bob", "cyd"]) {
    const chat = await app.ollama.nextChat();
    await chat.token("Here is an answer that is long enough to be shown.");
    await chat.finish();
  }
  await last?.waitFor(ended);
});

test("a host dies, and its queue moves on to the other one", async () => {
  await using second = await startOllama({ answer: () => ["the second host answered"] });
  await using app = await openTestApp({ ollama: { manual: true } });
  await setHosts(app, [
    { name: "first", url: app.ollama.url, priority: 1 },
    { name: "second", url: second.url },
  ]);
  await app.start();
  await app.ollama.stop();
  const answers = await Promise.all(
    ["one", "two", "three"].map((prompt) => ask(app, { user: "ada", prompt })),
  );
  for (const { content } of answers) expect(content).toContain("the second host answered");
  const history = JSON.parse((await app.run("llm", "history", "--json")).stdout) as {
    host: string;
    outcome: string;
  }[];
  expect(history.filter(({ host, outcome }) => host === "second" && outcome === "ok")).toHaveLength(3);
});

test("a server taken off the configuration finishes what it runs after a SIGHUP, and gets nothing new", async () => {
  await using second = await startOllama({ answer: () => ["the second host answered"] });
  await using app = await openTestApp({ discord: twoServers, ollama: { manual: true } });
  const serve = await app.start();
  const running = app.discord.invoke({ user: "ada", command: "wis llm", options: { prompt: "Hi" } });
  const chat = await app.ollama.nextChat();
  await setHosts(app, [{ name: "second", url: second.url }]);
  serve.reload();
  await serve.says("SIGHUP");
  expect((await ask(app, { user: "bob", prompt: "Hi" })).content).toContain("the second host answered");
  await chat.token("The first one comes to its end.");
  await chat.finish();
  expect((await running.waitFor(ended)).content).toContain("The first one comes to its end.");
});

test("an image and a PDF are read", async () => {
  await using app = await openTestApp({
    ollama: { describe: { capabilities: ["completion", "vision"] }, answer: () => ["I see."] },
  });
  await app.start();
  const page = "BT /F 12 Tf 20 700 Td (The engine weaves algebraic patterns.) Tj ET";
  const pdf = pdfOf(
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [4 0 R] /Count 1 /MediaBox [0 0 600 800] >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    "<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F 3 0 R >> >> >>",
    streamOf(page),
  );
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
    "base64",
  );
  const said = app.discord.say({
    user: "ada",
    content: `<@${app.discord.applicationId}> what are these?`,
    files: [
      { name: "paper.pdf", bytes: pdf, contentType: "application/pdf" },
      { name: "dot.png", bytes: png, contentType: "image/png" },
    ],
  });
  await app.discord.waitForMessage((message) => message.replyTo === said.id && ended(message), {
    user: "ada",
  });
  expect(lastPrompt(app)).toContain("The engine weaves algebraic patterns.");
  expect(app.ollama.requests.findLast(({ path }) => path === "/api/chat")?.images).toEqual([
    new Uint8Array(png),
  ]);
});

test("an answer with nested fences and a table of 60 rows arrives whole", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `| ${row} | number ${row} | ${"x".repeat(20)} |`);
  const text = [
    "Here is how to write it:",
    "````md\n```ts\nconst a = 1;\n```\n````",
    `| id | name | more |\n| --- | --- | --- |\n${rows.join("\n")}`,
    "That was all.",
  ].join("\n\n");
  await using app = await openTestApp({ ollama: { answer: () => text.match(/.{1,7}/gs) ?? [] } });
  await app.start();
  const answer = await ask(app, { user: "ada", prompt: "Show me" });
  const [file] = answer.attachments;
  expect(new TextDecoder().decode(file?.bytes)).toBe(text);
  expect(answer.content.length).toBeLessThanOrEqual(2_000);
});

test("everything about one person is exported, then erased, and no byte of the data dir holds it", async () => {
  await using app = await openTestApp({
    discord: twoServers,
    ollama: { answer: (prompt) => [`heard: ${prompt}`] },
  });
  const serve = await app.start();
  const [ada, bob] = ["ada", "bob"].map((name) => app.discord.user(name).id);
  await ask(app, { user: "ada", channel: "general", prompt: "zebra-crossing-4711" });
  await ask(app, { user: "bob", channel: "general", prompt: "kept-by-bob-0815" });
  const exported = app.discord.invoke({ user: "ada", channel: "general", command: "wis export" });
  await exported.waitFor(({ attachments }) => attachments.length > 0);
  const forgetting = app.discord.invoke({ user: "ada", channel: "general", command: "wis forget" });
  const offer = await forgetting.waitFor(({ buttons }) => buttons.length > 0);
  const pressed = app.discord.press({ user: "ada", message: offer, button: offer.buttons[0]?.label ?? "" });
  await pressed.response();
  await forgetting.waitFor(({ content }) => /erased/i.test(content));
  await serve.kill("SIGTERM");
  const bytes = await storedBytes(app);
  expect(bytes.includes("kept-by-bob-0815")).toBe(true);
  expect(bytes.includes(bob ?? "")).toBe(true);
  expect(bytes.includes("zebra-crossing-4711")).toBe(false);
  expect(bytes.includes(ada ?? "")).toBe(false);
  using database = new Database(join(app.folder, "data/wisbot.db"), { readonly: true });
  expect(database.query("select count(*) as turns from turns").get()).toEqual({ turns: 1 });
});
