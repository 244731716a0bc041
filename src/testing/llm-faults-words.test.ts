import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ShownMessage } from "./discord/index.ts";
import { ended, errorIdIn, type FaultStage, models, openFaultStage } from "./llm-faults.ts";

// Words that are none, too many, or not what they seem, on their way to a model and back, through the front door.

let stage: FaultStage;
beforeAll(async () => {
  stage = await openFaultStage();
});
afterAll(async () => {
  await using ending = stage;
  await ending.expectHistory();
});

const [model] = models.ollama;
const strange: Record<string, string> = {
  "right-to-left": "שלום \u202eעולם\u202c ثم مرحبا",
  "zero-width": "a\u200bb\u200dc\u2060d",
  emoji: "👩‍👩‍👧‍👦 🇩🇪 e\u0301",
  "nested code fences": "````md\n```ts\nconst a = 1;\n```\n````",
};

/** What the model was asked with somebody's question, the newest. */
function heardBy(): string {
  const asked = stage.host("ollama").requests.findLast(({ path }) => path === "/api/chat");
  const { messages } = (asked?.body ?? {}) as { messages?: { role: string; content: string }[] };
  return messages?.findLast(({ role }) => role === "user")?.content ?? "";
}

const chats = () => stage.host("ollama").requests.filter(({ path }) => path === "/api/chat").length;
const answer = (...tokens: string[]) => stage.host("ollama").set({ answer: tokens, manual: false });

describe("a question", () => {
  const blank = { "white space": " \t\n ", "zero-width characters": "\u200b\u2060\ufeff\u200d" };
  test.each(Object.entries(blank))("of %s only is refused, to its asker alone", async (_, prompt) => {
    const user = stage.newcomer();
    const before = chats();
    const shown = await stage.ask({ user, options: { prompt } }).waitFor(ended);
    expect(shown.ephemeral).toBe(true);
    expect(shown.content).toStartWith("⚠️ There is no question in that.\n");
    expect(chats()).toBe(before);
    const errorId = errorIdIn(shown);
    await stage.expectAftermath({ user, errorId, code: "bad_request", outcomes: [], counts: 0 });
  });

  test("of zero-width characters only, behind a mention, gets a word of help", async () => {
    const { discord } = stage.app;
    const user = stage.newcomer();
    const before = chats();
    const said = discord.say({ user, channel: user, content: `<@${discord.applicationId}> \u200b\u2060` });
    await discord.waitForMessage(
      ({ replyTo, content }) => replyTo === said.id && content.startsWith("Mention me"),
      {
        channel: user,
      },
    );
    expect(chats()).toBe(before);
    await stage.expectAftermath({ user, code: undefined, outcomes: [], counts: 0 });
  });

  test.each(Object.entries(strange))("with %s reaches the model as it was written", async (_, prompt) => {
    const user = stage.newcomer();
    answer("Understood.");
    const { content } = await stage.ask({ user, options: { prompt } }).waitFor(ended);
    expect(heardBy()).toBe(prompt);
    expect(content).toContain("\nUnderstood.\n");
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  test("as long as Discord lets it be reaches the model whole", async () => {
    const user = stage.newcomer();
    const prompt = "why? ".repeat(1_200);
    answer("Understood.");
    const { content } = await stage.ask({ user, options: { prompt } }).waitFor(ended);
    expect(heardBy()).toBe(prompt);
    expect(content.length).toBeLessThan(2_000);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  test("with a text of 10 MB is answered from its beginning, and the answer says so", async () => {
    const user = stage.newcomer();
    const bytes = new TextEncoder().encode("All work and no play. \n".repeat(1e6).slice(0, 10e6));
    answer("Understood.");
    const file = { name: "novel.txt", bytes, contentType: "text/plain" };
    const { content } = await stage.ask({ user, options: { file } }).waitFor(ended);
    expect(heardBy()).toContain("All work and no play.");
    expect(heardBy().length).toBeLessThan(100_000);
    expect(content).toMatch(/\nUnderstood\.\n-# .*novel\.txt/);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  const refused = {
    "a larger file": {
      file: { name: "more.txt", bytes: new Uint8Array(10e6 + 1), contentType: "text/plain" },
      say: '"more.txt" is larger than the 10 MB that can go along with a question.',
      code: "file.too_large",
    },
    "a file that is no text": {
      file: { name: "engine.bin", bytes: Uint8Array.from({ length: 4_000 }, (_, at) => at % 256) },
      say: "engine.bin is of a kind that can't be read.",
      code: "attachment.unreadable",
    },
  };
  test.each(Object.entries(refused))("with %s is refused in its reply", async (_, { file, say, code }) => {
    const user = stage.newcomer();
    const before = chats();
    const shown = await stage.ask({ user, options: { file } }).waitFor(ended);
    expect(shown.content).toStartWith(`⚠️ ${say}\n`);
    expect(chats()).toBe(before);
    const errorId = errorIdIn(shown);
    await stage.expectAftermath({ user, errorId, code, outcomes: [], counts: 0 });
  });
});

describe("an answer", () => {
  async function expectEmpty(...tokens: string[]) {
    const user = stage.newcomer();
    answer(...tokens);
    const shown = await stage.ask({ user }).waitFor(ended);
    expect(shown.content).toStartWith(`> Why?\n⚠️ The model "${model}" gave an empty answer.\n`);
    const code = "llm.bad_reply";
    await stage.expectAftermath({ user, errorId: errorIdIn(shown), code, outcomes: [code], counts: 0 });
  }

  test("of no words is said to be empty, and does not count", () => expectEmpty());

  test("of white space is said to be empty, and does not count", () => expectEmpty(" ", "\n\n"));

  test("of zero-width characters is said to be empty, and does not count", () =>
    expectEmpty("\u200b", "\u2060"));

  test("of only a code block without code is said to be empty", async () => {
    const user = stage.newcomer();
    answer("```ts\n\n```");
    const { content, buttons } = await stage.ask({ user }).waitFor(ended);
    expect(content).toStartWith(
      "> Why?\n-# The model gave an empty answer. Ask in other words.\n-# llama3.2",
    );
    expect(buttons.map(({ label }) => label)).toEqual(["Regenerate"]);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  test.each(Object.entries(strange).slice(0, 3))("with %s stands as it was said", async (_, text) => {
    const user = stage.newcomer();
    answer(...text);
    const { content } = await stage.ask({ user }).waitFor(ended);
    expect(content).toStartWith(`> Why?\n${text}\n-# `);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  test("with nested code fences leaves none open, and is there as a file as it was said", async () => {
    const user = stage.newcomer();
    const text = strange["nested code fences"] ?? "";
    answer(...text);
    const message = await stage.ask({ user }).waitFor(ended);
    expect(message.content).toContain("```md\n`\u200b`\u200b`ts\nconst a = 1;");
    expect(message.content.split("```")).toHaveLength(3);
    const pressed = stage.app.discord.press({ user, message, button: "As a file" });
    const file = await pressed.waitFor(({ attachments }) => attachments.length > 0);
    expect(textOf(file)).toBe("```ts\nconst a = 1;\n```\n");
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  test("of 100,000 characters is whole in a file", async () => {
    const user = stage.newcomer();
    const text = "The engine weaves algebraic patterns. ".repeat(2_700).slice(0, 100_000);
    answer(...(text.match(/.{1,500}/gs) ?? []));
    const shown = await stage.ask({ user }).waitFor(({ attachments }) => attachments.length > 0);
    expect(textOf(shown)).toBe(text);
    expect(shown.content).toContain("all of it is in the file");
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });
});

const textOf = ({ attachments: [file] }: ShownMessage) => new TextDecoder().decode(file?.bytes);
