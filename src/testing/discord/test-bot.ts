import {
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  Client,
  Events,
  GatewayIntentBits,
} from "discord.js";
import type { DiscordStandIn } from "./index.ts";

/** A bare discord.js bot, logged in to the stand-in, to test the stand-in itself. */
export interface TestBot extends AsyncDisposable {
  client: Client<true>;
  /** What it does with commands. */
  onCommand(handler: (interaction: ChatInputCommandInteraction) => Promise<unknown>): void;
  onButton(handler: (interaction: ButtonInteraction) => Promise<unknown>): void;
  /** What handlers threw, in order. */
  errors: unknown[];
}

const WIS = {
  name: "wis",
  description: "WisBot",
  options: [
    { type: 1, name: "help", description: "What it can do" },
    {
      type: 1,
      name: "upload",
      description: "Keep a file",
      options: [
        { type: 11, name: "file", description: "The file" },
        { type: 5, name: "private", description: "Only for you" },
      ],
    },
    {
      type: 1,
      name: "llm",
      description: "Ask",
      options: [{ type: 3, name: "prompt", description: "What", required: true, max_length: 100 }],
    },
  ],
};

export function createBotClient(
  discord: Pick<DiscordStandIn, "api">,
  intents = GatewayIntentBits.Guilds,
): Client {
  return new Client({ intents, rest: { api: discord.api } });
}

export async function startTestBot(discord: DiscordStandIn, intents?: number): Promise<TestBot> {
  const client = createBotClient(discord, intents);
  const errors: unknown[] = [];
  const catching = (work: Promise<unknown>) => work.catch((error: unknown) => errors.push(error));
  let onCommand: (interaction: ChatInputCommandInteraction) => Promise<unknown> = async () => {};
  let onButton: (interaction: ButtonInteraction) => Promise<unknown> = async () => {};
  client.on(Events.InteractionCreate, (interaction) => {
    if (interaction.isChatInputCommand()) catching(onCommand(interaction));
    if (interaction.isButton()) catching(onButton(interaction));
  });
  const ready = new Promise<Client<true>>((resolve) => client.once(Events.ClientReady, resolve));
  await client.login(discord.token);
  const running = await ready;
  await running.application.commands.set([WIS]);
  return {
    client: running,
    errors,
    onCommand(handler) {
      onCommand = handler;
    },
    onButton(handler) {
      onButton = handler;
    },
    [Symbol.asyncDispose]: () => client.destroy(),
  };
}
