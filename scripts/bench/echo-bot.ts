// The least that discord.js takes to answer an interaction: what interactions and idle memory are compared with.
import { Client, Events, GatewayIntentBits, REST, Routes } from "discord.js";

const { DISCORD_API = "", DISCORD_TOKEN = "" } = process.env;
const rest = { api: DISCORD_API };
const client = new Client({ intents: [GatewayIntentBits.Guilds], rest });
client.once(Events.ClientReady, async ({ application }) => {
  await new REST(rest).setToken(DISCORD_TOKEN).put(Routes.applicationCommands(application.id), {
    body: [
      {
        name: "wis",
        description: "Echo",
        options: [
          { type: 1, name: "help", description: "Echo" },
          {
            type: 1,
            name: "llm",
            description: "Echo",
            options: [{ type: 3, name: "prompt", description: "Echo", required: true }],
          },
        ],
      },
    ],
  });
});
client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isChatInputCommand()) await interaction.reply("echo");
});
await client.login(DISCORD_TOKEN);
