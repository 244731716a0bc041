import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PermissionFlagsBits } from "discord.js";
import type { ShownMessage } from "./discord/index.ts";
import { ended, errorIdIn, type FaultStage, openFaultStage } from "./llm-faults.ts";

// What Discord, or somebody there, takes away while an answer is being written, through the front door.

let stage: FaultStage;
beforeAll(async () => {
  stage = await openFaultStage();
});
afterAll(async () => {
  await using ending = stage;
  await ending.expectHistory();
});

const PART = "The sky is blue because of how air scatters light";
const REST = ", and red in the evening for the same reason.";

const has = (text: string) => (message: ShownMessage) => message.content.includes(text);

/** Somebody asks with /wis llm; the first words of the answer are there. */
async function ask(options: Record<string, boolean> = {}) {
  const user = stage.newcomer();
  stage.host("ollama").set({ manual: true });
  const asked = stage.ask({ user, options });
  const chat = await stage.nextChat("ollama");
  await chat.token(PART);
  return { user, asked, chat };
}

/** Somebody mentions the bot; the first words of the answer are there. */
async function mention() {
  const { discord } = stage.app;
  const user = stage.newcomer();
  stage.host("ollama").set({ manual: true });
  const said = discord.say({ user, channel: user, content: `<@${discord.applicationId}> Why?` });
  const chat = await stage.nextChat("ollama");
  await chat.token(PART);
  const shown = await discord.waitForMessage(has(PART), { channel: user });
  return { user, said, shown, chat };
}

const refused = { code: "discord.failed", outcomes: ["llm.stopped"], counts: 1 };

describe("while an answer is being written", () => {
  test("its channel is deleted", async () => {
    const { user, asked, chat } = await ask();
    await asked.waitFor(has(PART));
    stage.app.discord.removeChannel(user);
    await chat.token(REST);
    await stage.expectAftermath({ user, ...refused });
    expect(chat.closed.aborted).toBe(true);
  });

  test("the bot may no longer see the channel", async () => {
    const { user, chat } = await mention();
    stage.app.discord.deny(user, PermissionFlagsBits.ViewChannel);
    await chat.token(REST);
    await stage.expectAftermath({ user, ...refused });
    expect(chat.closed.aborted).toBe(true);
  });

  test("the bot may no longer write there: what stands is kept, and says so", async () => {
    const { discord } = stage.app;
    const { user, shown, chat } = await mention();
    discord.deny(user, PermissionFlagsBits.SendMessages);
    await chat.token(`${REST} And so on.`.repeat(60));
    const last = await discord.waitForMessage((one) => one.id === shown.id && has("Error id")(one), {
      channel: user,
    });
    expect(last.content).toStartWith(PART);
    expect(last.content).toContain("\n⚠️ Discord refused to send a message: Missing Permissions.\n");
    expect(last.buttons.map(({ label }) => label)).toEqual(["Regenerate"]);
    await stage.expectAftermath({ user, errorId: errorIdIn(last), ...refused });
  });

  test("the interaction's token expires: the bot goes on by channel and message", async () => {
    const { user, asked, chat } = await ask();
    await asked.waitFor(has(PART));
    stage.app.discord.expire(asked);
    await chat.token(REST);
    await chat.finish();
    const { content } = await asked.waitFor(ended);
    expect(content).toStartWith(`> Why?\n${PART}${REST}\n-# `);
    // Discord bans an address for too many of those.
    expect(stage.app.discord.requests.filter(({ status }) => status === 401)).toHaveLength(1);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
  });

  test("the token of a private answer expires", async () => {
    const { user, asked, chat } = await ask({ private: true });
    await asked.waitFor(has(PART));
    stage.app.discord.expire(asked);
    await chat.token(REST);
    await stage.expectAftermath({ user, ...refused });
    expect(chat.closed.aborted).toBe(true);
  });

  test("its thread is archived: the thread says why there is no more", async () => {
    const { discord } = stage.app;
    const { user, asked, chat } = await ask({ thread: true });
    const { id: channel } = await asked.waitFor(has("in the thread below"));
    await discord.waitForMessage(has(PART), { channel });
    discord.archive(channel);
    await chat.token(REST);
    const last = await discord.waitForMessage(has("Error id"), { channel });
    expect(last.content).toStartWith("⚠️ Discord refused to edit a message: Thread is archived.\n");
    await stage.expectAftermath({ user, errorId: errorIdIn(last), ...refused });
  });

  test("its question is changed: the new one is answered in the same message", async () => {
    const { discord } = stage.app;
    const { user, said, shown } = await mention();
    discord.reword(said, `<@${discord.applicationId}> Why not?`);
    const chat = await stage.nextChat("ollama");
    expect(chat.prompt).toBe("Why not?");
    await chat.token(REST);
    await chat.finish();
    const last = await discord.waitForMessage((one) => has(REST)(one) && ended(one), { channel: user });
    expect(last.id).toBe(shown.id);
    expect(last.content).not.toContain(PART);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["llm.stopped", "ok"], counts: 2 });
  });

  test("its question is deleted: the answer goes with it", async () => {
    const { discord } = stage.app;
    const { user, said, chat } = await mention();
    discord.unsay(said);
    await discord.request("DELETE /channels/{channel_id}/messages/{message_id}");
    await stage.expectAftermath({ user, code: undefined, outcomes: ["llm.stopped"], counts: 1 });
    expect(discord.messages({ channel: user })).toEqual([]);
    expect(chat.closed.aborted).toBe(true);
  });

  test("the gateway is lost: the answer goes on, and its session is resumed", async () => {
    const { discord } = stage.app;
    const { user, asked, chat } = await ask();
    await asked.waitFor(has(PART));
    discord.gateway.drop();
    await chat.token(REST);
    await chat.finish();
    const { content } = await asked.waitFor(ended);
    expect(content).toStartWith(`> Why?\n${PART}${REST}\n-# `);
    await stage.expectAftermath({ user, code: undefined, outcomes: ["ok"], counts: 1 });
    expect(discord.gateway.counts.resumes).toBe(1);
  });

  test("wisbot is killed: after the next start the answer says so, and can be had again", async () => {
    const { discord } = stage.app;
    const { user, asked } = await ask();
    await asked.waitFor(has(PART));
    await stage.crash();
    const message = await asked.waitFor(has("Interrupted: WisBot stopped while this was being answered."));
    expect(message.content).toStartWith(`> Why?\n${PART}\n-# ⚠️ `);
    stage.host("ollama").set({ manual: false, answer: [PART, REST] });
    const again = discord.press({ user, message, button: "Regenerate" });
    const { content } = await again.waitFor((one) => one.id !== message.id && ended(one));
    expect(content).toStartWith(`> Why?\n${PART}${REST}\n-# `);
    const outcomes = ["llm.interrupted", "ok"];
    // The one that was lost is given back.
    await stage.expectAftermath({ user, code: undefined, outcomes, counts: 1 });
  });
});
