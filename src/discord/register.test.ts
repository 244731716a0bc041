import { describe, expect, test } from "bun:test";
import { openTestBot } from "../testing/test-bot.ts";
import { commands, messageCommands } from "./commands/index.ts";
import { registerCommands } from "./register.ts";
import { createRest } from "./rest.ts";

const GLOBAL = "/applications/{application_id}/commands";
const GUILD = "/applications/{application_id}/guilds/{guild_id}/commands";

async function setUp() {
  const t = await openTestBot({ start: false });
  const { api, token, applicationId } = t.discord;
  const rest = createRest({ api, token, now: t.now, onTokenRefused: () => {} });
  const register = (guildIds: string[] = [], ours = commands.slice()) =>
    registerCommands({ rest, commands: ours, messageCommands }, { applicationId, guildIds });
  const writes = () => t.discord.requests.filter(({ method }) => method !== "GET").map(({ route }) => route);
  return { ...t, rest, register, writes };
}

describe("registration", () => {
  test("makes one global command and one in every message's menu, for servers and people, everywhere", async () => {
    await using t = await setUp();
    expect(await t.register()).toEqual({ written: 2, removed: 0 });
    const everywhere = { integration_types: [0, 1], contexts: [0, 1, 2] };
    expect(t.discord.requestsTo(`POST ${GLOBAL}`).map(({ body }) => body)).toMatchObject([
      { type: 1, name: "wis", options: commands.map(({ name }) => ({ type: 1, name })), ...everywhere },
      { type: 3, name: "Ask WisBot about this", ...everywhere },
    ]);
  });

  test("writes nothing when Discord has it already, globally or in a guild", async () => {
    await using t = await setUp();
    await t.register();
    expect(await t.register()).toEqual({ written: 0, removed: 0 });
    expect(t.writes()).toEqual([`POST ${GLOBAL}`, `POST ${GLOBAL}`]);
    const guild = t.discord.guild().id;
    await t.register([guild]);
    expect(await t.register([guild])).toEqual({ written: 0, removed: 0 });
    expect(t.discord.requestsTo(`POST ${GUILD}`)).toHaveLength(2);
  });

  test("changes a command that has changed, and keeps its id", async () => {
    await using t = await setUp();
    await t.register();
    const shorter = commands.slice(0, 1).map((one) => ({ ...one, description: "Something else" }));
    expect(await t.register([], shorter as typeof commands)).toEqual({ written: 1, removed: 0 });
    expect(t.writes()).toEqual([`POST ${GLOBAL}`, `POST ${GLOBAL}`, `PATCH ${GLOBAL}/{command_id}`]);
    expect(await t.register([], shorter as typeof commands)).toEqual({ written: 0, removed: 0 });
  });

  test("takes our global commands back where guilds are named, and leaves others' alone", async () => {
    await using t = await setUp();
    const { applicationId } = t.discord;
    const body = { name: "other", description: "Not ours" };
    await t.rest.post(`/applications/${applicationId}/commands`, { body });
    await t.register();
    expect(await t.register([t.discord.guild().id])).toEqual({ written: 2, removed: 2 });
    const left = (await t.rest.get(`/applications/${applicationId}/commands`)) as { name: string }[];
    expect(left.map(({ name }) => name)).toEqual(["other"]);
  });
});

test("what Discord shows of the commands fits its limits", () => {
  for (const { description, options = [] } of commands) {
    for (const text of [description, ...options.map((one) => one.description)]) {
      expect(text.length).toBeLessThanOrEqual(100);
    }
  }
});

test("the bot registers in its guilds at once when they are named", async () => {
  await using t = await openTestBot({ guildIds: (discord) => [discord.guild().id] });
  expect(t.discord.requestsTo(`POST ${GUILD}`)).toHaveLength(2);
  expect(t.discord.requestsTo(`POST ${GLOBAL}`)).toHaveLength(0);
  await t.discord.invoke({ command: "wis help" }).response();
});
