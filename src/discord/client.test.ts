import { expect, test } from "bun:test";
import { once } from "node:events";
import { Events } from "discord.js";
import { startDiscord } from "../testing/discord/index.ts";
import { createClient } from "./client.ts";

const throttler = { waitForIdentify: async () => {} };

test("a client keeps nothing of what is said, and of who says it", async () => {
  await using discord = await startDiscord();
  const ended = new AbortController();
  const { api, token } = discord;
  const client = createClient({ api, messageContent: false, throttler, ended: ended.signal });
  const ready = once(client, Events.ShardReady);
  await client.login(token);
  await ready;
  const heard = once(client, Events.MessageCreate);
  const { id, channelId } = discord.say({ user: "ben", content: "Hello" });
  await heard;
  const channel = client.channels.cache.get(channelId);
  expect(channel?.isTextBased() && channel.messages.cache.has(id)).toBe(false);
  expect([...client.users.cache.keys()]).toEqual([discord.applicationId]);
  ended.abort();
  await client.destroy();
});

test("a client that is done with does not come back, although Discord had just asked it to", async () => {
  await using discord = await startDiscord();
  const ended = new AbortController();
  const done = createClient({ api: discord.api, messageContent: false, throttler, ended: ended.signal });
  const other = createClient({
    api: discord.api,
    messageContent: false,
    throttler,
    ended: new AbortController().signal,
  });
  for (const client of [done, other]) {
    const ready = once(client, Events.ShardReady);
    await client.login(discord.token);
    await ready;
  }

  const resumed = once(other, Events.ShardResume);
  const reconnecting = once(done, Events.ShardReconnecting);
  discord.gateway.reconnect();
  await reconnecting;
  ended.abort();
  await done.destroy();
  // Both were asked in the same moment and wait equally long: where this one is back, the other one would be.
  await resumed;
  expect(discord.gateway.counts.connections).toBe(3);
  await other.destroy();
});
