import { type DiscordStandIn, type ShownMessage, startDiscord } from "../../src/testing/discord/index.ts";
import { type OpenChat, startOllama } from "../../src/testing/ollama.ts";
import { type Bench, type Figure, ms, percentile } from "./figure.ts";
import { startBuilt } from "./processes.ts";

const CHANNELS = 20;
const STREAMS = 200;
/** In each channel one begins, and later ends, every 2.6 s: Discord lets no more than five messages through in 5 s. */
const BEGINS_EVERY_MS = 130;
/** Longer than it takes until all have begun. */
const TOKENS = 160;
const TOKEN_EVERY_MS = 250;
const LATEST_MS = 2_000;
const PATIENCE_MS = 120_000;

const ended = ({ buttons }: ShownMessage) => buttons.some(({ label }) => label === "Regenerate");

/** Writes an answer at its pace; resolves with when its last token was said. */
async function speak(chat: OpenChat): Promise<number> {
  for (let index = 0; index < TOKENS; index += 1) {
    await chat.token(`word${index} `);
    await Bun.sleep(TOKEN_EVERY_MS);
  }
  await chat.finish();
  return performance.now();
}

/** Asks as somebody of their own; resolves with when the whole answer stood in Discord. */
async function ask(discord: DiscordStandIn, index: number): Promise<number> {
  const user = `person-${index}`;
  const channel = `room-${index % CHANNELS}`;
  const asked = discord.say({ user, channel, content: `<@${discord.applicationId}> ${user}?` });
  await discord.waitForMessage((message) => message.replyTo === asked.id && ended(message), {
    user,
    channel,
    timeout: PATIENCE_MS,
  });
  return performance.now();
}

/** A real `serve` before a Discord that counts as the real one does. */
export const edits: Bench = {
  name: "edits",
  async run(): Promise<Figure[]> {
    const named = (name: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({ name: `${name}-${index}` }));
    await using discord = await startDiscord({
      limits: "discord",
      openapi: "",
      people: named("person", STREAMS),
      guilds: [{ name: "Wis Lab", channels: named("room", CHANNELS) }],
    });
    await using ollama = await startOllama({ manual: true });
    await using _wisbot = await startBuilt(
      { discord: { api: discord.api }, llm: { hosts: [{ url: ollama.url, slots: STREAMS }] } },
      { DISCORD_TOKEN: discord.token },
    );
    await discord.registered("wis");

    const shown: Promise<number>[] = [];
    const spoken = new Map<string, Promise<number>>();
    const lastAt = (index: number) => spoken.get(`person-${index}`) ?? Number.NaN;
    for (let index = 0; index < STREAMS; index += 1) {
      shown.push(ask(discord, index));
      const chat = await ollama.nextChat();
      spoken.set(chat.prompt.replace("?", ""), speak(chat));
      await Bun.sleep(BEGINS_EVERY_MS);
    }
    const openAtOnce = ollama.open;
    const late = await Promise.all(shown.map(async (at, index) => (await at) - (await lastAt(index))));
    const latest = Math.max(...late);
    const previews = discord.requests.filter(({ route }) => route.startsWith("PATCH")).length - STREAMS;
    const refused = discord.requests.filter(({ status }) => status === 429).length;
    return [
      {
        what: `${openAtOnce} answers at once in ${CHANNELS} channels, before Discord's limits`,
        ours: `${refused} × 429, ${previews} previews`,
        baseline: `the last text ${ms(percentile(late, 0.5))} (p99 ${ms(percentile(late, 0.99))}) after the host's last token`,
        compared: `latest after ${ms(latest)}`,
        limit: `no 429, ${LATEST_MS} ms`,
        holds: openAtOnce === STREAMS && refused === 0 && latest <= LATEST_MS,
      },
    ];
  },
};
