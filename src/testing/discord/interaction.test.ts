import { expect, test } from "bun:test";
import { ButtonStyle, ComponentType, MessageFlags } from "discord.js";
import { startDiscord } from "./index.ts";
import { startTestBot } from "./test-bot.ts";

const stop = {
  type: ComponentType.ActionRow,
  components: [{ type: ComponentType.Button, style: ButtonStyle.Danger, label: "Stop", customId: "stop:1" }],
} as const;

test("a command reaches the bot and its reply the member", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => interaction.reply(`You asked ${interaction.options.getString("prompt")}`));
  const asked = discord.invoke({ user: "ada", command: "wis llm", options: { prompt: "why?" } });
  const response = await asked.response();
  expect(response).toMatchObject({ type: 4, ephemeral: false });
  expect(asked.message()?.content).toBe("You asked why?");
  expect(asked.latencyMs).toBeLessThan(1000);
  expect(bot.errors).toEqual([]);
});

test("defer, edit, follow up, and a button that updates its message", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand(async (interaction) => {
    await interaction.deferReply();
    await interaction.editReply({ content: "First", components: [stop] });
    await interaction.followUp({ content: "Second", flags: MessageFlags.Ephemeral });
  });
  bot.onButton((interaction) => interaction.update({ content: "Stopped", components: [] }));
  const asked = discord.invoke({ command: "wis help" });
  const second = await asked.waitFor(({ content }) => content === "Second");
  expect(second.ephemeral).toBe(true);
  const first = await asked.waitFor(({ content }) => content === "First");
  expect(first).toMatchObject({ loading: false, buttons: [{ label: "Stop", customId: "stop:1" }] });
  await discord.press({ message: first, button: "Stop" }).response();
  expect(asked.message()).toMatchObject({ content: "Stopped", buttons: [] });
  expect(asked.message()?.history.map(({ content }) => content)).toEqual(["", "First", "Stopped"]);
  expect(bot.errors).toEqual([]);
});

test("only its asker sees an ephemeral reply, and nobody fetches it through the channel", async () => {
  await using discord = await startDiscord();
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => interaction.reply({ content: "Psst", flags: MessageFlags.Ephemeral }));
  const asked = discord.invoke({ user: "ada", command: "wis help" });
  await asked.response();
  const message = asked.message();
  expect(discord.messages({ user: "ada" }).map(({ content }) => content)).toEqual(["Psst"]);
  expect(discord.messages({ user: "ben" })).toEqual([]);
  const channel = await bot.client.channels.fetch(discord.channel("general").id);
  if (!channel?.isTextBased()) throw new Error("#general is a text channel");
  await expect(channel.messages.fetch(message?.id ?? "")).rejects.toMatchObject({ code: 10008 });
});

test("a member's roles come with what they ask, as they are at that moment", async () => {
  const guild = { name: "Den", roles: ["Patrons", "Singers"], channels: [{ name: "den" }] };
  const people = [{ name: "ada", roles: ["Patrons"] }, { name: "ben" }];
  await using discord = await startDiscord({ guilds: [guild], people });
  await using bot = await startTestBot(discord);
  bot.onCommand((interaction) => {
    if (!interaction.inCachedGuild()) throw new Error("it was asked in a server");
    const roles = [...interaction.member.roles.cache.values()];
    const names = roles.filter(({ id }) => id !== interaction.guildId).map(({ name }) => name);
    return interaction.reply(`Roles: ${names.join(" ")}`);
  });
  const told = async (user: string) => {
    const asked = discord.invoke({ user, command: "wis help" });
    await asked.response();
    return asked.message()?.content.replace("Roles: ", "");
  };
  expect([await told("ada"), await told("ben")]).toEqual(["Patrons", ""]);
  discord.setRoles("ada", []);
  discord.setRoles("ben", ["Singers"]);
  expect([await told("ada"), await told("ben")]).toEqual(["", "Singers"]);
});
