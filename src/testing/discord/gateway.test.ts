import { expect, test } from "bun:test";
import { type Client, Events, GatewayIntentBits } from "discord.js";
import { type DiscordStandIn, startDiscord } from "./index.ts";
import { createBotClient, startTestBot } from "./test-bot.ts";

// discord.js leaves 5 s between two logins, so these run side by side; each has a Discord of its own.

const next = (client: Client, event: "shardResume" | "shardReady" | "shardDisconnect") =>
  new Promise<void>((resolve) => client.once(event, () => resolve()));

async function answers(discord: DiscordStandIn): Promise<string | undefined> {
  const asked = discord.invoke({ command: "wis help" });
  await asked.response();
  return asked.message()?.content;
}

test.concurrent("a bot that logs in knows its guilds and channels", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  const guild = bot.client.guilds.cache.get(discord.guild().id);
  expect(guild?.name).toBe("Wis Lab");
  expect(guild?.channels.cache.map(({ name }) => name).sort()).toEqual(["general", "quiet"]);
  expect(bot.client.user.id).toBe(discord.applicationId);
  const quiet = guild?.channels.cache.get(discord.channel("quiet").id);
  expect(quiet?.permissionsFor(bot.client.user)?.has("SendMessages")).toBe(false);
  expect(discord.gateway.counts).toMatchObject({ connections: 1, identifies: 1 });
});

test.concurrent("a token that Discord does not know ends the login", async () => {
  await using discord = await startDiscord();
  const client = createBotClient(discord);
  await expect(client.login(`${discord.token}x`)).rejects.toThrow("invalid token");
  await client.destroy();
});

test.concurrent("a token that dies between REST and gateway is closed with 4004", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  const gone = new Promise((resolve) => bot.client.once(Events.Invalidated, () => resolve("invalidated")));
  const closed = new Promise<number>((resolve) =>
    bot.client.once(Events.ShardDisconnect, ({ code }) => resolve(code)),
  );
  discord.revokeToken();
  expect(await Promise.race([closed, gone])).toBe(4004);
});

test.concurrent("a privileged intent that nobody granted is closed with 4014", async () => {
  await using discord = await startDiscord();
  const client = createBotClient(discord, GatewayIntentBits.MessageContent);
  await expect(client.login(discord.token)).rejects.toThrow("disallowed intents");
  await client.destroy();
  discord.gateway.grant(GatewayIntentBits.MessageContent);
  const granted = createBotClient(discord, GatewayIntentBits.MessageContent);
  await granted.login(discord.token);
  await granted.destroy();
  expect(discord.gateway.counts.closes).toContain(4014);
});

test.concurrent("a cut connection is resumed, and what happened meanwhile is replayed", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => interaction.reply("back"));
  const resumed = next(bot.client, "shardResume");
  discord.gateway.drop();
  const asked = discord.invoke({ command: "wis help" });
  await resumed;
  await asked.response();
  expect(asked.message()?.content).toBe("back");
  expect(discord.gateway.counts).toMatchObject({ connections: 2, identifies: 1, resumes: 1 });
});

test.concurrent("a bot that is asked to reconnect resumes", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => interaction.reply("back"));
  const resumed = next(bot.client, "shardResume");
  discord.gateway.reconnect();
  await resumed;
  expect(await answers(discord)).toBe("back");
});

test.concurrent("after an invalid session the bot logs in anew", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => interaction.reply("back"));
  const ready = next(bot.client, "shardReady");
  discord.gateway.invalidate();
  await ready;
  expect(await answers(discord)).toBe("back");
  expect(discord.gateway.counts).toMatchObject({ identifies: 2, resumes: 0 });
}, 10_000);

test.concurrent("a gateway that answers no heartbeat is left for a new connection", async () => {
  await using discord = await startDiscord({ heartbeatInterval: 60 });
  await using bot = await startTestBot(discord);
  const resumed = next(bot.client, "shardResume");
  discord.gateway.mute(true);
  await resumed;
  discord.gateway.mute(false);
  expect(discord.gateway.counts.resumes).toBeGreaterThan(0);
});

test.concurrent("an outage refuses everything and its end lets the bot back in", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => interaction.reply("back"));
  const ready = next(bot.client, "shardResume");
  discord.outage(true);
  const refused = await fetch(`${discord.api}/v10/gateway`);
  expect(refused.status).toBe(503);
  discord.outage(false);
  await ready;
  expect(await answers(discord)).toBe("back");
}, 10_000);

test.concurrent("messages reach only a bot with the intent, with text only where it may read it", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord, GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages);
  const seen: string[] = [];
  const three = new Promise<void>((resolve) => {
    bot.client.on(Events.MessageCreate, ({ content }) => {
      if (seen.push(content) === 2) resolve();
    });
  });
  discord.say({ content: "just talking" });
  discord.say({ content: `<@${discord.applicationId}> what now?` });
  await three;
  expect(seen).toEqual(["", `<@${discord.applicationId}> what now?`]);
});
