import { describe, expect, test } from "bun:test";
import type { Asked } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const ask = (t: TestBot, options = {}) =>
  loaded(t.discord.invoke({ user: "ada", command: "wis status", options }));

describe("/wis status", () => {
  test("tells how the hosts do, who waits, and which models are liked", async () => {
    await using t = await openTestBot();
    t.llm.knows.status = {
      hosts: [
        { name: "local", state: "ok", detail: "3 models, llama3.2 loaded", active: 1, slots: 2 },
        { name: "big", state: "resting", detail: "Does not answer.", active: 0, slots: 1 },
      ],
      waiting: 3,
      active: 1,
    };
    t.llm.knows.votes = [
      { model: "llama3.2", up: 1, down: 4, answers: 9 },
      { model: "gemma3", up: 5, down: 1, answers: 1 },
    ];
    const { content, ephemeral } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(content.split("\n")).toEqual([
      "✅ **local** · 1 of 2 slots in use",
      "-# 3 models, llama3.2 loaded",
      "⚠️ **big** · 0 of 1 slot in use",
      "-# Does not answer.",
      "1 answer being written, 3 waiting.",
      "",
      "**Liked here**, by the votes below answers:",
      "**gemma3** · 👍 5 · 👎 1 · 1 answer",
      "**llama3.2** · 👍 1 · 👎 4 · 9 answers",
    ]);
  });

  test("is shown to everybody when that is asked, and fits into a message whatever there is", async () => {
    await using t = await openTestBot();
    const host = { name: "h".repeat(80), state: "ok" as const, detail: "*".repeat(500), active: 0, slots: 1 };
    t.llm.knows.status = { hosts: Array.from({ length: 30 }, () => host), waiting: 0, active: 0 };
    t.llm.knows.votes = Array.from({ length: 90 }, (_, up) => ({
      model: `m${up}`,
      up,
      down: 0,
      answers: up,
    }));
    const { content, ephemeral } = await ask(t, { public: true });
    expect(ephemeral).toBe(false);
    expect(content).toContain("and 22 more hosts");
    expect(content).toMatch(/and \d+ more models/);
  });
});
