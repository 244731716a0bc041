import { describe, expect, test } from "bun:test";
import type { AttemptRow } from "../../llm/ports.ts";
import type { Asked, ShownMessage } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const attempt: AttemptRow = {
  id: "a",
  turnId: "t",
  userId: "1",
  guildId: null,
  channelId: "2",
  model: "llama3.2",
  host: "local",
  createdAt: 0,
  endedAt: 0,
  inputTokens: 20,
  outputTokens: 3,
  queueMs: 0,
  firstTokenMs: 100,
  durationMs: 3_210,
  outcome: "ok",
  traceId: "",
  vote: 0,
  question: null,
  answer: null,
};

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const ask = (t: TestBot) => loaded(t.discord.invoke({ user: "ada", command: "wis history" }));

/** Each is known by its tokens: the newest by the most. Five at a time came in one millisecond. */
function remember(t: TestBot, count: number): void {
  const now = t.now();
  t.llm.knows.attempts = Array.from({ length: count }, (_, index) => ({
    ...attempt,
    createdAt: now - Math.ceil(index / 5) * 1_000,
    outputTokens: 980 + count - index,
  }));
}

const tokens = ({ content }: ShownMessage) =>
  [...content.matchAll(/(\d+) tokens · /g)].map(([, count]) => Number(count) - 1_000);

async function press(t: TestBot, message: ShownMessage, button: string): Promise<ShownMessage> {
  const before = message.history.length;
  const pressed = t.discord.press({ user: "ada", message, button });
  return await pressed.waitFor(({ history }) => history.length > before);
}

describe("/wis history", () => {
  test("tells one's latest questions to oneself alone, each in one line", async () => {
    await using t = await openTestBot();
    t.llm.knows.attempts = [
      { ...attempt, vote: 1 },
      { ...attempt, outcome: "llm.timeout", outputTokens: null, inputTokens: null },
      { ...attempt, outcome: null, durationMs: null, inputTokens: null, outputTokens: null },
    ];
    const { content, ephemeral, buttons } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(content.split("\n").slice(1)).toEqual([
      "<t:0:R> · llama3.2 · 23 tokens · 3.2 s · answered 👍",
      "<t:0:R> · llama3.2 · 3.2 s · took too long",
      "<t:0:R> · llama3.2 · being answered",
    ]);
    expect(buttons).toEqual([]);
  });

  test("says first what is left of the quota, and when it starts anew", async () => {
    await using t = await openTestBot();
    t.llm.knows.allowed = {
      used: { requests: 12, tokens: 900, gpuMs: 60_000 },
      allowance: { requests: 50, tokens: 800, gpuMs: 600_000 },
      resetsAt: 5_000,
    };
    const [first] = (await ask(t)).content.split("\n");
    expect(first).toBe(
      "-# Left: 38 of 50 questions, 0 of 800 tokens, 9 minutes of 10 minutes of GPU time. It starts anew <t:5:R>.",
    );
  });

  test("says how to begin where nothing was asked", async () => {
    await using t = await openTestBot();
    expect((await ask(t)).content).toBe(
      "-# You may ask as much as you like.\nYou have asked nothing yet. Begin with `/wis llm`.",
    );
  });

  test("turns its pages there and back, every question on one of them", async () => {
    await using t = await openTestBot();
    remember(t, 25);
    const range = (from: number, to: number) =>
      Array.from({ length: from - to + 1 }, (_, index) => from - index);
    const first = await ask(t);
    expect(tokens(first)).toEqual(range(25, 16));
    const second = await press(t, first, "Older");
    expect(tokens(second)).toEqual(range(15, 6));
    const third = await press(t, second, "Older");
    expect(tokens(third)).toEqual(range(5, 1));
    expect(third.buttons.map(({ label }) => label)).toEqual(["Newer"]);
    const back = await press(t, third, "Newer");
    expect(tokens(back)).toEqual(range(15, 6));
    const start = await press(t, back, "Newer");
    expect(tokens(start)).toEqual(range(25, 16));
    expect(start.buttons.map(({ label }) => label)).toEqual(["Older"]);
  });
});
