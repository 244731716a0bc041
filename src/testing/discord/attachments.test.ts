import { describe, expect, test } from "bun:test";
import { AttachmentBuilder } from "discord.js";
import { type CdnTrouble, startDiscord } from "./index.ts";
import { startTestBot } from "./test-bot.ts";

const bytes = new TextEncoder().encode("hello attachment");

test("a file that a member attaches is fetched from the CDN", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand(async (interaction) => {
    const file = interaction.options.getAttachment("file", true);
    const text = await (await fetch(file.url)).text();
    await interaction.reply(`${file.name} ${file.size} ${text} ${interaction.attachmentSizeLimit}`);
  });
  const options = { file: { name: "a b.txt", bytes, contentType: "text/plain" }, private: true };
  const asked = discord.invoke({ command: "wis upload", options });
  await asked.response();
  expect(asked.message()?.content).toBe(`a b.txt 16 hello attachment ${10 * 1024 * 1024}`);
  expect(discord.downloads).toHaveLength(1);
});

test("a file that the bot sends arrives whole", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) =>
    interaction.reply({
      content: "long",
      files: [new AttachmentBuilder(Buffer.from(bytes), { name: "answer.md" })],
    }),
  );
  const asked = discord.invoke({ command: "wis help" });
  await asked.response();
  const [file] = asked.message()?.attachments ?? [];
  expect(file).toMatchObject({ name: "answer.md", size: 16 });
  expect(await (await fetch(file?.url ?? "")).text()).toBe("hello attachment");
});

test("files that the bot posts in a channel are kept with names and bytes, and an edit keeps what it names", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  const channel = await bot.client.channels.fetch(discord.channel("general").id);
  if (!channel?.isSendable()) throw new Error("the bot writes in #general");
  const file = (name: string, text: string) => new AttachmentBuilder(Buffer.from(text), { name });
  const sent = await channel.send({ files: [file("a.txt", "first"), file("b.bin", "second")] });
  const kept = () =>
    discord
      .messages({ channel: "general" })
      .flatMap(({ attachments }) => attachments)
      .map(({ name, bytes }) => `${name} ${new TextDecoder().decode(bytes)}`);
  expect(kept()).toEqual(["a.txt first", "b.bin second"]);
  const stays = sent.attachments.filter(({ name }) => name === "b.bin").map(({ id }) => ({ id }));
  await sent.edit({ attachments: stays, files: [file("c.txt", "third")] });
  expect(kept()).toEqual(["b.bin second", "c.txt third"]);
});

describe("the size of a file that the bot posts", () => {
  const MiB = 1024 * 1024;
  const big = () => new AttachmentBuilder(Buffer.alloc(11 * MiB), { name: "big.bin" });

  test("may be up to what the interaction says, which is the more of its person's and the server's", async () => {
    await using discord = await startDiscord();
    await using bot = await startTestBot(discord);
    bot.onCommand((interaction) =>
      interaction.reply({ content: String(interaction.attachmentSizeLimit), files: [big()] }),
    );
    const limits = [];
    for (const [whose, size] of [
      ["ada", 20 * MiB],
      ["Wis Lab", 25 * MiB],
    ] as const) {
      discord.setFileLimit(whose, size);
      const asked = discord.invoke({ user: "ada", command: "wis help" });
      await asked.response();
      limits.push(asked.message()?.content);
    }
    expect(limits).toEqual([String(20 * MiB), String(25 * MiB)]);
  });

  test("is refused above that, and in a channel above the server's", async () => {
    await using discord = await startDiscord();
    await using bot = await startTestBot(discord);
    const answered = new Promise((resolve) =>
      bot.onCommand(async (interaction) => resolve(interaction.reply({ files: [big()] }))),
    );
    const refused = { status: 413, code: 40005 };
    discord.invoke({ user: "ben", command: "wis help" });
    await expect(answered).rejects.toMatchObject(refused);
    discord.setFileLimit("ada", 50 * MiB);
    const channel = await bot.client.channels.fetch(discord.channel("general").id);
    if (!channel?.isSendable()) throw new Error("the bot writes in #general");
    await expect(channel.send({ files: [big()] })).rejects.toMatchObject(refused);
    discord.setFileLimit("Wis Lab", 50 * MiB);
    await expect(channel.send({ files: [big(), big(), big()] })).rejects.toMatchObject(refused);
    const { attachments } = await channel.send({ files: [big(), big()] });
    expect(attachments.map(({ size }) => size)).toEqual([11 * MiB, 11 * MiB]);
  });
});

async function fetchWith(trouble: CdnTrouble): Promise<Response> {
  const discord = await startDiscord();
  const bot = await startTestBot(discord);
  const given = Promise.withResolvers<string>();
  bot.onCommand(async (interaction) => {
    given.resolve(interaction.options.getAttachment("file", true).url);
    await interaction.deferReply();
  });
  await discord
    .invoke({ command: "wis upload", options: { file: { name: "x", bytes, trouble } } })
    .response();
  const response = await fetch(await given.promise, { redirect: "manual" });
  stack.defer(() => discord.stop());
  stack.defer(() => bot.client.destroy());
  return response;
}

const stack = new AsyncDisposableStack();

test("the CDN redirects, lies, cuts and pours without end when it is told to", async () => {
  await using _stopping = stack;
  const redirected = await fetchWith({ kind: "redirect", to: "http://10.0.0.1/" });
  expect([redirected.status, redirected.headers.get("location")]).toEqual([302, "http://10.0.0.1/"]);
  const lied = await fetchWith({ kind: "lie", length: 5 });
  expect(lied.headers.get("content-length")).toBe("5");
  const cut = await fetchWith({ kind: "cut", after: 4 });
  await expect(cut.arrayBuffer()).rejects.toThrow();
  const poured = await fetchWith({ kind: "endless", length: 200_000 });
  expect(poured.headers.get("content-length")).toBeNull();
  expect((await poured.arrayBuffer()).byteLength).toBe(200_000);
  const stalled = await fetchWith({ kind: "stall", after: 4 });
  const reader = stalled.body?.getReader();
  expect((await reader?.read())?.value?.byteLength).toBe(4);
});
