import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { ShownMessage } from "../testing/discord/index.ts";
import { openTestApp, type TestApp } from "../testing/open-test-app.ts";

// What `kill -9` leaves behind, and what the next start makes of it.

/** An upload that has sent its first megabyte and holds back the rest. */
function startUpload(link: string) {
  const gate = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  const chunk = randomBytes(1_000_000);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(chunk);
      sent.resolve();
      await gate.promise;
      controller.close();
    },
  });
  // Nobody waits for its answer: the server dies first.
  const failed = fetch(`${link}/cut.bin`, { method: "PUT", body }).then(
    ({ status }) => status,
    (error: unknown) => error,
  );
  return { failed, sent: sent.promise, finish: () => gate.resolve() };
}

/** Resolves when bytes of the upload are on the disk: only then there is something to leave behind. */
async function onDisk(app: TestApp): Promise<void> {
  const deadline = performance.now() + 5_000;
  while ((await app.blobs()).length === 0) {
    if (performance.now() > deadline) throw new Error("no bytes arrived on the disk");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function rows(app: TestApp): Promise<{ state: string; size: number }[]> {
  const { stdout } = await app.run("files", "list", "--json");
  return JSON.parse(stdout);
}

function query(app: TestApp, sql: string): unknown[] {
  using database = new Database(join(app.folder, "data/wisbot.db"), { readonly: true });
  return database.query(sql).all();
}

test("killed in the middle of an upload: nothing is left of it, and its link takes the file after all", async () => {
  await using app = await openTestApp();
  const first = await app.start("--no-discord");
  const link = await app.link();
  const upload = startUpload(link);
  await upload.sent;
  await onDisk(app);
  await first.kill("SIGKILL");
  upload.finish();
  expect(await upload.failed).toBeInstanceOf(Error);

  const second = await app.start("--no-discord");
  expect(second.log()).toContain("repaired what the last run left behind: 1 cut upload");
  expect(await app.blobs()).toEqual([]);
  expect(await rows(app)).toMatchObject([{ state: "pending", size: 0 }]);
  const again = await fetch(`${link}/whole.txt`, { method: "PUT", body: "all of it" });
  expect(again.status).toBe(201);
  expect(await (await fetch(`${(await again.text()).trim()}/download`)).text()).toBe("all of it");
  expect(await second.kill("SIGTERM")).toBe(0);
}, 30_000);

test("killed right after an upload was acknowledged: the file is there, byte for byte", async () => {
  await using app = await openTestApp();
  const first = await app.start("--no-discord");
  const bytes = randomBytes(3_000_000);
  const sent = await fetch(`${await app.link()}/kept.bin`, { method: "PUT", body: bytes });
  const share = (await sent.text()).trim();
  await first.kill("SIGKILL");

  await app.start("--no-discord");
  const back = Buffer.from(await (await fetch(`${share}/download`)).arrayBuffer());
  expect(back.equals(bytes)).toBe(true);
  const { stdout } = await app.run("files", "verify", "--json");
  expect(JSON.parse(stdout)).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
}, 30_000);

test("killed between the parts of an upload: the next start says how far it is, and the rest makes it whole", async () => {
  await using app = await openTestApp();
  const first = await app.start("--no-discord");
  const bytes = randomBytes(2_000_000);
  const link = await app.link();
  const tus = { "tus-resumable": "1.0.0" };
  const metadata = `ticket ${btoa(link.split("/u/")[1] ?? "")},filename ${btoa("parts.bin")}`;
  const begun = await fetch(`${app.url}/api/uploads`, {
    method: "POST",
    headers: { ...tus, "upload-length": String(bytes.length), "upload-metadata": metadata },
  });
  const place = new URL(begun.headers.get("location") ?? "", app.url);
  const part = (offset: number, body: Buffer) =>
    fetch(place, {
      method: "PATCH",
      headers: { ...tus, "upload-offset": String(offset), "content-type": "application/offset+octet-stream" },
      body: new Uint8Array(body),
    });
  expect((await part(0, bytes.subarray(0, 700_000))).status).toBe(204);
  await first.kill("SIGKILL");

  await app.start("--no-discord");
  const head = await fetch(place, { method: "HEAD", headers: tus });
  expect(head.headers.get("upload-offset")).toBe("700000");
  const last = await part(700_000, bytes.subarray(700_000));
  const share = last.headers.get("content-location");
  const back = Buffer.from(await (await fetch(`${share}/download`)).arrayBuffer());
  expect(back.equals(bytes)).toBe(true);
  const { stdout } = await app.run("files", "verify", "--json");
  expect(JSON.parse(stdout)).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
}, 30_000);

test("killed before an upload could be announced: the next start announces it, once", async () => {
  await using app = await openTestApp();
  const { discord } = app;
  const first = await app.start();
  const asked = discord.invoke({ command: "wis upload" });
  const reply = await asked.waitFor(({ content }) => content.includes("/u/"));
  const link = /http\S+\/u\/[\w-]+/.exec(reply.content)?.[0];
  discord.outage(true);
  const sent = await fetch(`${link}/late.txt`, { method: "PUT", body: "announced late" });
  expect(sent.status).toBe(201);
  await first.kill("SIGKILL");

  discord.outage(false);
  const second = await app.start();
  const isCard = ({ embeds }: ShownMessage) => embeds.some(({ title }) => title === "late.txt");
  await discord.waitForMessage(isCard, { user: "ada" });
  // Which lets what is being delivered come to its end.
  expect(await second.kill("SIGTERM")).toBe(0);
  expect(query(app, "select count(*) as owed from announcements")).toEqual([{ owed: 0 }]);
  expect(discord.messages({ user: "ada" }).filter(isCard)).toHaveLength(1);
}, 30_000);

test("killed in the middle of an answer: the next start marks its message, and the row says how it ended", async () => {
  await using app = await openTestApp({ ollama: { manual: true } });
  const { discord, ollama } = app;
  const first = await app.start();
  const asked = discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
  const chat = await ollama.nextChat();
  await chat.token("The first words of an answer, and then");
  const shown = await asked.waitFor(({ content }) => content.includes("The first words"));
  expect(shown.buttons).not.toEqual([]);
  await first.kill("SIGKILL");

  const second = await app.start();
  const marked = await discord.waitForMessage(({ content }) => content.includes("Interrupted"));
  expect(marked.id).toBe(shown.id);
  expect(marked.content).toContain("The first words");
  expect(marked.buttons.map(({ label }) => label)).toEqual(["Regenerate"]);
  await second.says("marked answers that the last stop interrupted");
  expect(await second.kill("SIGTERM")).toBe(0);
  expect(query(app, "select state, ended_at is null as open from turns")).toEqual([
    { state: "interrupted", open: 0 },
  ]);
}, 30_000);
