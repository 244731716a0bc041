import { describe, expect, test } from "bun:test";
import { newCapability } from "../lib/capability.ts";
import type { AnswerPlace, TurnRow } from "../llm/ports.ts";
import { openTestBot, type TestBot } from "../testing/test-bot.ts";
import { markInterrupted } from "./interrupted.ts";
import { createMessages } from "./respond.ts";
import { createRest } from "./rest.ts";

const row = (place: AnswerPlace, createdAt: number, id = newCapability()): TurnRow => ({
  id,
  conversation: id,
  parentId: null,
  depth: 0,
  userId: "1",
  userName: "Ada",
  question: "Why?",
  documents: "",
  text: "",
  thinking: "",
  model: "llama3.2",
  state: "answering",
  place,
  createdAt,
  endedAt: null,
  tokens: 0,
  errorCode: null,
  vote: 0,
});

/** An answer whose first words are there, as a killed process leaves it. */
async function leaveAnswer(t: TestBot) {
  const asked = t.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
  const answer = await t.llm.asked();
  answer.say("The first words of a longer answer, and");
  const { id } = await asked.waitFor(({ content }) => content.includes("first words"));
  const left = row({ ...answer.question.place, messageId: id }, t.now(), answer.id);
  t.llm.leave(left);
  return { asked, left };
}

function marking(t: TestBot) {
  const { api, token } = t.discord;
  const rest = createRest({ api, token, now: t.now, onTokenRefused: () => {} });
  const messages = createMessages({ rest, telemetry: t.telemetry, now: t.now });
  return () => markInterrupted({ llm: t.llm, messages });
}

describe("what an earlier process left unanswered", () => {
  for (const [when, ms] of [
    ["at once", 0],
    ["an hour later", 3_600_000],
  ] as const) {
    test(`is marked when the bot is back ${when}: the part stays, and it can be asked again`, async () => {
      await using t = await openTestBot();
      const { asked, left } = await leaveAnswer(t);
      t.later(ms);
      expect(await marking(t)()).toBe(1);
      const message = asked.message();
      expect(message?.content).toStartWith(
        "> Why?\nThe first words of a longer answer, and\n-# ⚠️ Interrupted",
      );
      expect(message?.buttons.map(({ customId }) => customId)).toEqual([`llm:again:${left.id}`]);
      expect(t.llm.settledIds).toEqual([left.id]);
    });
  }

  test("is marked where no interaction leads to it", async () => {
    await using t = await openTestBot();
    const { asked, left } = await leaveAnswer(t);
    t.llm.leave({ ...left, id: newCapability(), place: { ...left.place, interactionToken: null } });
    t.llm.settledIds.push(left.id);
    expect(await marking(t)()).toBe(1);
    expect(asked.message()?.content).toContain("Interrupted");
    await t.discord.request("PATCH /channels/{channel_id}/messages/{message_id}");
  });

  test("can be asked again by its asker", async () => {
    await using t = await openTestBot();
    const { asked, left } = await leaveAnswer(t);
    await marking(t)();
    t.llm.knows.turns.set(left.id, { ...left, userId: t.discord.user("ada").id });
    const message = await asked.waitFor(({ content }) => content.includes("Interrupted"));
    t.discord.press({ user: "ada", message, button: "Regenerate" });
    const again = await t.llm.asked();
    expect(again.question.prompt).toBe("Why?");
  });

  test("is seen to when the first session begins", async () => {
    const left: TurnRow[] = [];
    await using t = await openTestBot({
      before({ discord, llm, now }) {
        const { id: messageId, channelId } = discord.say({ content: "not the bot's own" });
        const { applicationId } = discord;
        const place = {
          guildId: null,
          channelId,
          messageId,
          applicationId,
          interactionToken: "x",
          interactionAt: 0,
        };
        left.push(row(place, now()));
        for (const one of left) llm.leave(one);
      },
    });
    expect(t.llm.settledIds).toEqual(left.map(({ id }) => id));
  });

  test("is settled when its message is gone, or was never known", async () => {
    await using t = await openTestBot();
    const { left } = await leaveAnswer(t);
    const { place } = left;
    t.llm.leave(row({ ...place, messageId: "1573537819438088192" }, t.now()));
    t.llm.leave(row({ ...place, messageId: null, interactionAt: 0 }, t.now()));
    t.llm.leave(row({ ...place, messageId: "1573537819438088192", interactionAt: 0 }, t.now()));
    expect(await marking(t)()).toBe(4);
    expect(await marking(t)()).toBe(0);
  });

  test("waits for the next session when Discord is away", async () => {
    await using t = await openTestBot();
    const { asked } = await leaveAnswer(t);
    t.discord.outage(true);
    expect(marking(t)()).rejects.toThrow("Discord can't be reached");
    expect(t.llm.settledIds).toEqual([]);
    t.discord.outage(false);
    await asked.waitFor(({ content }) => content.includes("Interrupted"), { timeout: 10_000 });
  });
});
