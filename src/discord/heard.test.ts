import { describe, expect, test } from "bun:test";
import { MessageReferenceType, MessageType } from "discord.js";
import { hear, type Said } from "./heard.ts";

const BOT = "100";
const person = (id: string, name: string, more = {}) => ({ id, username: name, global_name: name, ...more });
const BEFORE = { author: person(BOT, "wisbot", { bot: true }), content: "Hi", embeds: [], attachments: [] };

/** A message in a server without the intent to read them all, unless it says otherwise. */
function heard(message: object, thread?: Said["thread"]) {
  const whole = {
    id: "1",
    channel_id: "2",
    guild_id: "3",
    type: MessageType.Default,
    author: person("4", "Ada"),
    member: { nick: null, roles: ["5"] },
    content: "",
    mentions: [],
    attachments: [],
    embeds: [],
    ...message,
  } as unknown as Said["message"];
  return hear({ message: whole, botId: BOT, applicationId: BOT, thread });
}

const mentions = [person(BOT, "wisbot")];
const mention = { content: `<@${BOT}> Why?`, mentions };
const reply = {
  type: MessageType.Reply,
  message_reference: { type: MessageReferenceType.Default, message_id: "9" },
};

describe("nothing to do with the bot have", () => {
  const cases: [string, object][] = [
    ["itself and other bots", { ...mention, author: person("4", "Robot", { bot: true }) }],
    ["webhooks", { ...mention, webhook_id: "7" }],
    ["what Discord says of a server", { ...mention, type: MessageType.UserJoin }],
    ["messages to everyone", { content: "@everyone Why?", mention_everyone: true, attachments: [] }],
    ["messages to a role", { content: "<@&8> Why?", mention_roles: ["8"] }],
    ["its name in code, which mentions nobody", { content: `\`<@${BOT}>\`` }],
  ];
  test.each(cases)("%s", (_what, message) => expect(heard(message)?.called ?? false).toBe(false));

  test("what it can't read, in its threads and below its answers", () => {
    const thread = { ownerId: BOT, parentId: "6" };
    expect(heard({ ...reply, referenced_message: BEFORE }, thread)).toBeUndefined();
  });
});

test("a reply that notifies the bot goes on from what it replies to", () => {
  const found = heard({ ...reply, content: "And then?", mentions, referenced_message: BEFORE });
  expect(found).toMatchObject({ called: true, prompt: "And then?", talk: { kind: "chain", replyTo: "9" } });
});

test("a forwarded message is what the question is about", () => {
  const snapshot = { content: "E = mc²", embeds: [], attachments: [] };
  const found = heard({
    guild_id: undefined,
    message_reference: { type: MessageReferenceType.Forward, message_id: "9" },
    message_snapshots: [{ message: snapshot }],
  });
  expect(found).toMatchObject({ called: true, talk: { kind: "channel", channelId: "2" } });
  expect(found?.prompt).toStartWith("Somebody wrote:\n> E = mc²\n\n");
});

test("the asker has their name and roles in the server", () => {
  const found = heard({ ...mention, member: { nick: "Countess", roles: ["5"] } });
  expect(found?.member).toEqual({
    id: "4",
    name: "Countess",
    asker: { guildId: "3", roleIds: ["5"] },
    moderator: false,
  });
});

test("the bot's name is not part of the question, other people's are", () => {
  const ben = person("11", "ben", { member: { nick: "Ben" } });
  const content = `<@!${BOT}> What does <@11> mean by <@12>?`;
  expect(heard({ content, mentions: [...mentions, ben] })?.prompt).toBe("What does @Ben mean by <@12>?");
});
