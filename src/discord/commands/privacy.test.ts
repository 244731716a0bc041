import { describe, expect, test } from "bun:test";
import type { Asked } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe("/wis clear", () => {
  test("forgets one's own questions of this channel, and says how many", async () => {
    await using t = await openTestBot();
    const { content, ephemeral } = await loaded(t.discord.invoke({ user: "ada", command: "wis clear" }));
    expect(ephemeral).toBe(true);
    expect(content).toStartWith("Forgotten: your 3 questions here, with the answers.");
    const talk = { kind: "channel", channelId: t.discord.channel("general").id };
    expect(t.llm.knows.calls).toMatchObject([{ name: "clear", input: { talk, by: { name: "Ada" } } }]);
  });

  test("says so when there were none", async () => {
    await using t = await openTestBot();
    t.llm.clear = async () => 0;
    const { content } = await loaded(t.discord.invoke({ user: "ada", command: "wis clear" }));
    expect(content).toBe("There is nothing of yours here to forget. Ask something with `/wis llm`.");
  });
});

describe("/wis forget", () => {
  const ask = (t: TestBot) => t.discord.invoke({ user: "ada", command: "wis forget" }).waitFor(() => true);

  test("says what goes and what stays before anything goes", async () => {
    await using t = await openTestBot();
    const { content, buttons, ephemeral } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(content).toContain("what stands in Discord");
    expect(content).toContain("/wis files");
    expect(buttons).toMatchObject([{ label: "Erase it all", style: "danger" }]);
    expect(t.llm.knows.calls).toEqual([]);
  });

  test("erases at the press, and gives a receipt with the trace's id, on file too", async () => {
    await using t = await openTestBot();
    const pressed = t.discord.press({ user: "ada", message: await ask(t), button: "Erase it all" });
    const receipt = await pressed.waitFor(({ content }) => content.startsWith("Erased"));
    expect(receipt.content).toContain("3 questions, 4 lines of history, 1 choice.");
    expect(receipt.buttons).toEqual([]);
    const [, id = ""] = receipt.content.match(/Receipt `([0-9a-f]{32})`$/) ?? [];
    const [file] = receipt.attachments;
    expect(file?.name).toBe("receipt.txt");
    expect(textOf(file?.bytes)).toContain("Questions with their answers: 3");
    expect(textOf(file?.bytes)).toContain(`Receipt: ${id}`);
    expect(t.llm.knows.calls).toEqual([{ name: "forget", input: t.discord.user("ada").id }]);
  });

  test("says what went wrong, and no receipt", async () => {
    await using t = await openTestBot();
    t.llm.forget = () => Promise.reject(new Error("disk"));
    const pressed = t.discord.press({ user: "ada", message: await ask(t), button: "Erase it all" });
    const said = await pressed.waitFor(({ content }) => content.includes("Something went wrong"));
    expect(said.ephemeral).toBe(true);
    expect(said.content).not.toContain("Receipt");
  });
});

describe("/wis export", () => {
  const ask = (t: TestBot) => loaded(t.discord.invoke({ user: "ada", command: "wis export" }));

  test("gives everything as one JSON file, to oneself alone", async () => {
    await using t = await openTestBot();
    const { attachments, ephemeral } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(attachments.map(({ name }) => name)).toEqual(["wisbot-export.json"]);
    expect(JSON.parse(textOf(attachments[0]?.bytes))).toEqual({ turns: [] });
  });

  test("keeps what is too large for Discord on the file desk, whole, and shows the link to oneself alone", async () => {
    await using t = await openTestBot();
    const pieces = ['{"turns":["', "ä".repeat(400), "b".repeat(400), '"]}'];
    t.llm.exportOf = async function* () {
      yield* pieces;
    };
    t.discord.setFileLimit("ada", 1_000);
    t.discord.setFileLimit(t.discord.guild().id, 1_000);
    const { attachments, embeds, ephemeral } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(attachments).toEqual([]);
    const [row] = await Array.fromAsync(t.desk.files.list({ ownerId: t.discord.user("ada").id }));
    expect(embeds[0]?.description).toBe(`http://wisbot.test/f/${row?.id}`);
    const file = await t.desk.files.get(row?.id ?? "");
    expect(await (await t.desk.files.open(file)).text()).toBe(pieces.join(""));
  });
});
