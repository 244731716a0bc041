import { describe, expect, test } from "bun:test";
import { GatewayIntentBits } from "discord.js";
import { isWisError } from "../errors.ts";
import { startDiscord } from "../testing/discord/index.ts";
import { discordChecks } from "./checks.ts";
import { describeBot } from "./describe.ts";

const signal = AbortSignal.timeout(5_000);
type Deps = Parameters<typeof discordChecks>[0];
const run = async (deps: Omit<Deps, "messageContent">, messageContent = false) =>
  Object.fromEntries(
    await Promise.all(
      discordChecks({ ...deps, messageContent }).map(
        async ({ code, run }) => [code, await run(signal)] as const,
      ),
    ),
  );

describe("describing a bot", () => {
  test("gives its name and the link that invites it with the least permissions", async () => {
    await using discord = await startDiscord();
    const { api, token, applicationId: id } = discord;
    const bot = await describeBot({ api, token, signal });
    expect(bot).toMatchObject({ id, name: "wisbot" });
    const { searchParams } = new URL(bot.inviteUrl);
    expect(searchParams.get("client_id")).toBe(id);
    expect(searchParams.get("scope")).toBe("bot applications.commands");
    // View Channel, Send Messages, in Threads too, Create Public Threads, Embed Links, Attach Files, Read Message History.
    expect(searchParams.get("permissions")).toBe("309237763072");
  });

  test("tells a refused token from a Discord that can't be reached", async () => {
    await using discord = await startDiscord();
    const { api } = discord;
    const refused = await describeBot({ api, token: "wrong", signal }).catch((error: unknown) => error);
    expect(isWisError(refused, "discord.token_refused")).toBe(true);
    const nobody = "http://127.0.0.1:1/api";
    const away = await describeBot({ api: nobody, token: "x", signal }).catch((error: unknown) => error);
    expect(isWisError(away, "discord.unreachable")).toBe(true);
  });
});

describe("doctor's checks", () => {
  test("are all ok for a bot in a server", async () => {
    await using discord = await startDiscord();
    const found = await run(discord);
    expect(Object.values(found).map(({ severity }) => severity)).toEqual(["ok", "ok", "ok", "skip"]);
  });

  test("warn without a token, and need no network for that", async () => {
    const api = "http://127.0.0.1:1/api";
    const checks = discordChecks({ api, token: undefined, messageContent: true });
    expect(checks.every(({ offline }) => offline)).toBe(true);
    const found = await run({ api: "http://127.0.0.1:1/api", token: undefined });
    expect(found["discord.token"]?.severity).toBe("warn");
    expect(found["discord.server"]?.severity).toBe("skip");
  });

  test("fail with what to do for a wrong token and for no answer", async () => {
    await using discord = await startDiscord();
    const wrong = await run({ api: discord.api, token: "wrong" });
    expect(wrong["discord.token"]).toMatchObject({
      severity: "fail",
      fix: expect.stringContaining("Reset the token"),
    });
    const away = await run({ api: "http://127.0.0.1:1/api", token: "x" });
    expect(away["discord.token"]).toMatchObject({ severity: "fail", detail: "Discord can't be reached." });
  });

  test("warn with the invite link while the bot is in no server", async () => {
    await using discord = await startDiscord({ guilds: [] });
    const found = await run(discord);
    expect(found["discord.server"]?.severity).toBe("warn");
    expect(found["discord.server"]?.fix).toContain("oauth2/authorize");
  });

  test("fail when Discord grants no more sessions", async () => {
    await using discord = await startDiscord({ sessionsLeft: 0 });
    const found = await run(discord);
    expect(found["discord.sessions"]?.severity).toBe("fail");
  });

  test("tell whether the portal grants what discord.message_content asks for", async () => {
    await using refusing = await startDiscord();
    const refused = await run(refusing, true);
    expect(refused["discord.message_content"]).toMatchObject({
      severity: "fail",
      fix: expect.stringContaining("Message Content Intent under Bot on https://discord.com/developers"),
    });
    await using granting = await startDiscord({ privilegedIntents: GatewayIntentBits.MessageContent });
    const granted = await run(granting, true);
    expect(granted["discord.message_content"]?.severity).toBe("ok");
  });
});
