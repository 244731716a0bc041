import { expect, test } from "bun:test";
import { MessageFlags, PermissionFlagsBits } from "discord.js";
import { type DiscordStandIn, startDiscord } from "./index.ts";

const MESSAGES = "POST /channels/{channel_id}/messages";

interface Reply {
  status: number;
  headers: Headers;
  body: { id?: string; code?: number; retry_after?: number; global?: boolean; errors?: object };
}

async function call(discord: DiscordStandIn, method: string, path: string, body?: unknown): Promise<Reply> {
  const response = await fetch(`${discord.api}/v10${path}`, {
    method,
    headers: { authorization: `Bot ${discord.token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

const post = (discord: DiscordStandIn, channel: string, body: object) =>
  call(discord, "POST", `/channels/${discord.channel(channel).id}/messages`, body);

/** A command invoked with no bot behind it: the test plays the bot. */
async function invoked(discord: DiscordStandIn) {
  await call(discord, "PUT", `/applications/${discord.applicationId}/commands`, [
    { name: "wis", description: "WisBot" },
  ]);
  const asked = discord.invoke({ command: "wis" });
  return {
    asked,
    callback: `/interactions/${asked.id}/${asked.token}/callback`,
    webhook: `/webhooks/${discord.applicationId}/${asked.token}`,
  };
}

test("requests without the bot token are refused", async () => {
  await using discord = await startDiscord();
  const response = await fetch(`${discord.api}/v10/users/@me`, { headers: { authorization: "Bot wrong" } });
  expect([response.status, await response.json()]).toEqual([401, { message: "401: Unauthorized", code: 0 }]);
  expect(discord.invalidRequests).toBe(1);
});

test("a nonce that is enforced shows a message once, however often it is sent", async () => {
  await using discord = await startDiscord();
  const body = { content: "Your file is ready", nonce: "AAAAAAAAAAAAAAAAAAAAAA", enforce_nonce: true };
  const first = await post(discord, "general", body);
  const second = await post(discord, "general", body);
  const loose = await post(discord, "general", { ...body, enforce_nonce: false });
  expect(second.body.id).toBe(first.body.id);
  expect(loose.body.id).not.toBe(first.body.id);
  expect(discord.messages()).toHaveLength(2);
});

test("the bot posts only where it may", async () => {
  await using discord = await startDiscord();
  expect((await post(discord, "quiet", { content: "hello" })).body.code).toBe(50013);
  discord.deny("general", PermissionFlagsBits.ViewChannel);
  expect((await post(discord, "general", { content: "hello" })).body.code).toBe(50001);
  discord.deny("general", PermissionFlagsBits.EmbedLinks);
  expect((await post(discord, "general", { embeds: [{ title: "hello" }] })).body.code).toBe(50013);
  expect((await post(discord, "general", { content: "hello" })).status).toBe(200);
});

test("direct messages arrive unless the person closed them", async () => {
  await using discord = await startDiscord({ people: [{ name: "ada" }, { name: "ben", dmsOpen: false }] });
  const open = (name: string) =>
    call(discord, "POST", "/users/@me/channels", { recipient_id: discord.user(name).id });
  const write = (id?: string) => call(discord, "POST", `/channels/${id}/messages`, { content: "psst" });
  expect((await write((await open("ada")).body.id)).status).toBe(200);
  expect((await write((await open("ben")).body.id)).body.code).toBe(50007);
  expect(discord.messages({ channel: "dm", user: "ada" }).map(({ content }) => content)).toEqual(["psst"]);
});

test("a first response after three seconds is too late", async () => {
  let now = Date.now();
  await using discord = await startDiscord({ now: () => now });
  const { asked, callback } = await invoked(discord);
  now += 3001;
  const late = await call(discord, "POST", callback, { type: 5 });
  expect([late.status, late.body.code, asked.failed]).toEqual([404, 10062, true]);
});

test("a second first response is refused", async () => {
  await using discord = await startDiscord();
  const { callback } = await invoked(discord);
  expect((await call(discord, "POST", callback, { type: 5 })).status).toBe(204);
  const again = await call(discord, "POST", callback, { type: 4, data: { content: "hi" } });
  expect([again.status, again.body.code]).toEqual([400, 40060]);
});

test("an interaction token is worth nothing before the first response and after 15 minutes", async () => {
  let now = Date.now();
  await using discord = await startDiscord({ now: () => now });
  const { callback, webhook } = await invoked(discord);
  const edit = () => call(discord, "PATCH", `${webhook}/messages/@original`, { content: "hi" });
  expect((await edit()).body.code).toBe(10015);
  await call(discord, "POST", callback, { type: 5 });
  now += 15 * 60_000;
  expect((await edit()).status).toBe(200);
  now += 1;
  expect((await edit()).body.code).toBe(50027);
});

test("the first follow-up after a defer fills it and stays as ephemeral as the defer said", async () => {
  await using discord = await startDiscord();
  const { asked, callback, webhook } = await invoked(discord);
  await call(discord, "POST", callback, { type: 5, data: { flags: MessageFlags.Ephemeral } });
  expect(asked.message()).toMatchObject({ loading: true, ephemeral: true });
  await call(discord, "POST", webhook, { content: "done" });
  expect(asked.messages()).toMatchObject([{ content: "done", loading: false, ephemeral: true }]);
  const turned = await call(discord, "PATCH", `${webhook}/messages/@original`, { flags: 64 });
  expect(turned.body.code).toBe(50035);
});

test.each([
  ["2001 characters", { content: "x".repeat(2001) }, "content"],
  ["a property that Discord does not know", { content: "x", colour: 1 }, "colour"],
  [
    "embeds of more than 6000 characters",
    { embeds: [1, 2].map(() => ({ description: "x".repeat(3001) })) },
    "embeds",
  ],
  ["eleven embeds", { embeds: Array(11).fill({ title: "x" }) }, "embeds"],
  ["a button without custom_id", { content: "x", components: [row({ style: 1, label: "x" })] }, "components"],
  [
    "a custom_id of 101",
    { content: "x", components: [row({ style: 1, label: "x", custom_id: "x".repeat(101) })] },
    "components",
  ],
  [
    "a link button with a custom_id",
    { content: "x", components: [row({ style: 5, label: "x", url: "https://a.b", custom_id: "x" })] },
    "components",
  ],
  [
    "a link button to localhost",
    { content: "x", components: [row({ style: 5, label: "x", url: "http://localhost:1/u" })] },
    "components",
  ],
  [
    "six buttons in a row",
    {
      content: "x",
      components: [row(...[1, 2, 3, 4, 5, 6].map((n) => ({ style: 1, label: "x", custom_id: `${n}` })))],
    },
    "components",
  ],
  [
    "a custom_id twice",
    { content: "x", components: [row(...[1, 2].map(() => ({ style: 1, label: "x", custom_id: "x" })))] },
    "components",
  ],
  ["an ephemeral message in a channel", { content: "x", flags: 64 }, "flags"],
  [
    "users both parsed and listed",
    { content: "x", allowed_mentions: { parse: ["users"], users: ["1"] } },
    "allowed_mentions",
  ],
])("%s is an invalid form body that names its field", async (_what, body, field) => {
  await using discord = await startDiscord({ openapi: "" });
  const { status, body: answer } = await post(discord, "general", body);
  expect([status, answer.code]).toEqual([400, 50035]);
  expect(Object.keys(answer.errors ?? {})).toContain(field);
});

function row(...buttons: object[]) {
  return { type: 1, components: buttons.map((button) => ({ type: 2, ...button })) };
}

test("an empty message is refused", async () => {
  await using discord = await startDiscord();
  expect((await post(discord, "general", { content: "  " })).body.code).toBe(50006);
});

test("whoever a message would notify is noted, on an edit as well", async () => {
  await using discord = await startDiscord();
  const ping = `<@${discord.user("ada").id}>`;
  const quiet = await post(discord, "general", { content: ping, allowed_mentions: { parse: [] } });
  const shown = () => discord.messages()[0];
  expect(shown()?.pings).toEqual([]);
  const path = `/channels/${discord.channel("general").id}/messages/${quiet.body.id}`;
  await call(discord, "PATCH", path, { content: `${ping}!` });
  expect(shown()).toMatchObject({ pings: [ping], content: `${ping}!` });
});

test("rate limits show in headers, and one request too many is told how long to wait", async () => {
  let now = Date.now();
  await using discord = await startDiscord({
    now: () => now,
    limits: { [MESSAGES]: { limit: 2, window: 1000 } },
  });
  const first = await post(discord, "general", { content: "1" });
  expect(first.headers.get("x-ratelimit-remaining")).toBe("1");
  await post(discord, "general", { content: "2" });
  const third = await post(discord, "general", { content: "3" });
  expect(third).toMatchObject({ status: 429, body: { retry_after: 1, global: false } });
  expect(third.headers.get("x-ratelimit-scope")).toBe("user");
  now += 1000;
  expect((await post(discord, "general", { content: "3" })).status).toBe(200);
});

test("a refusal, a failure and a lost answer meet exactly the requests they were planned for", async () => {
  await using discord = await startDiscord();
  discord.refuse(MESSAGES, { retryAfter: 500, global: true });
  const refused = await post(discord, "general", { content: "1" });
  expect(refused.headers.get("x-ratelimit-global")).toBe("true");
  discord.fail(MESSAGES, { kind: "status", status: 500 });
  expect((await post(discord, "general", { content: "1" })).status).toBe(500);
  expect((await post(discord, "general", { content: "1" })).status).toBe(200);
  expect(discord.requestsTo(MESSAGES).map(({ status }) => status)).toEqual([429, 500, 200]);
});

test("another author's message and an unknown one are refused with their own codes", async () => {
  await using discord = await startDiscord();
  const { id } = discord.say({ content: "mine" });
  const path = `/channels/${discord.channel("general").id}/messages`;
  expect((await call(discord, "PATCH", `${path}/${id}`, { content: "x" })).body.code).toBe(50005);
  expect((await call(discord, "DELETE", `${path}/${id}`)).body.code).toBe(50013);
  expect((await call(discord, "GET", `${path}/1`)).body.code).toBe(10008);
  expect((await call(discord, "GET", "/channels/1/messages/1")).body.code).toBe(10003);
});

test("a route that the stand-in lacks is a violation, so that no test passes by accident", async () => {
  await using discord = await startDiscord();
  expect((await call(discord, "GET", "/sticker-packs")).status).toBe(404);
  expect(discord.takeViolations()).toEqual(["GET /api/v10/sticker-packs: no such route"]);
});
