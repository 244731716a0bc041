import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { openTestBot, type TestBot } from "../testing/test-bot.ts";
import { backOff } from "./identify.ts";

const errors = ({ lines }: TestBot) => lines().filter(({ level }) => level === "error");
const answers = (t: TestBot) => t.discord.invoke({ command: "wis help" }).response();

/** For what no event tells. */
async function until(probe: () => boolean): Promise<void> {
  while (!probe()) await new Promise((resolve) => setImmediate(resolve));
}

/** A Discord whose gateway ends every login with `code`. */
function refusingGateway(code: number) {
  const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 };
  return Bun.serve({
    port: 0,
    fetch(request, server) {
      if (server.upgrade(request)) return undefined;
      const url = `ws://127.0.0.1:${server.port}`;
      return Response.json({ url, shards: 1, session_start_limit: limit });
    },
    websocket: {
      open: (socket) => void socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: 41_250 } })),
      message: (socket) => socket.close(code),
    },
  });
}

describe("at start the bot", () => {
  test("asks for no privileged intent and is ready", async () => {
    await using t = await openTestBot();
    expect(t.bot.state()).toEqual({
      state: "ready",
      detail: "Connected to Discord as wisbot.",
      inviteUrl: undefined,
    });
  });

  test("gives the invite link, in its state and in the log, while it is in no server", async () => {
    await using t = await openTestBot({ discord: { guilds: [] } });
    const { inviteUrl } = t.bot.state();
    expect(inviteUrl).toContain(`client_id=${t.discord.applicationId}`);
    expect(t.lines().some((line) => line.inviteUrl === inviteUrl)).toBe(true);
  });

  test("rejects on a token that REST refuses, and leaves it at that", async () => {
    await using t = await openTestBot({ start: false, token: "wrong" });
    const error = await t.bot.start().catch((error: unknown) => error);
    expect(isWisError(error, "discord.token_refused")).toBe(true);
    expect(t.bot.state().state).toBe("refused");
    expect(t.discord.gateway.counts.connections).toBe(0);
  });

  for (const [code, expected] of [
    [4004, "discord.token_refused"],
    [4014, "discord.intents_refused"],
  ] as const) {
    test(`rejects on the gateway's ${code}`, async () => {
      using gateway = refusingGateway(code);
      await using t = await openTestBot({ start: false, api: `http://127.0.0.1:${gateway.port}/api` });
      const error = await t.bot.start().catch((error: unknown) => error);
      expect(isWisError(error, expected)).toBe(true);
      expect(t.bot.state().state).toBe("refused");
    });
  }

  test("says where to grant the intent that it was configured to ask for", async () => {
    const config = { discord: { message_content: true } };
    await using t = await openTestBot({ start: false, config });
    const error = await t.bot.start().catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "discord.intents_refused",
      hint: expect.stringContaining("Message Content Intent under Bot on https://discord.com/developers"),
    });
  });

  test("resolves and goes on trying while Discord is away, and records that once", async () => {
    await using t = await openTestBot({ before: ({ discord }) => discord.outage(true) });
    expect(t.bot.state().state).toBe("connecting");
    await t.discord.request("GET /gateway/bot", { count: 8 });
    expect(errors(t)).toHaveLength(1);
    t.discord.outage(false);
    await t.connected(1);
    expect(t.bot.state().state).toBe("ready");
    expect(errors(t)).toHaveLength(1);
    await answers(t);
  });

  test("does not identify while Discord grants no session", async () => {
    await using t = await openTestBot({ discord: { sessionsLeft: 0 } });
    expect(t.bot.state().state).toBe("connecting");
    expect(t.discord.gateway.counts.identifies).toBe(0);
  });
});

describe("a connected bot", () => {
  test("resumes after a cut connection and has missed nothing", async () => {
    await using t = await openTestBot();
    t.discord.gateway.drop();
    const asked = t.discord.invoke({ command: "wis help" });
    await asked.response();
    expect(t.discord.gateway.counts).toMatchObject({ identifies: 1, resumes: 1 });
    expect(t.bot.state().state).toBe("ready");
    expect(errors(t)).toEqual([]);
  });

  test("resumes when Discord asks it to come back", async () => {
    await using t = await openTestBot();
    t.discord.gateway.reconnect();
    await answers(t);
    expect(t.discord.gateway.counts).toMatchObject({ identifies: 1, resumes: 1 });
  });

  test("begins a new session when Discord has forgotten the old one, and writes no command twice", async () => {
    await using t = await openTestBot();
    t.discord.gateway.drop({ forget: true });
    await t.connected(2);
    await answers(t);
    expect(t.discord.gateway.counts.identifies).toBe(2);
    expect(t.discord.requestsTo("POST /applications/{application_id}/commands")).toHaveLength(2);
  });

  test("notices a dead connection by its heartbeat", async () => {
    await using t = await openTestBot({ discord: { heartbeatInterval: 50 } });
    t.discord.gateway.mute(true);
    await until(() => t.discord.gateway.counts.resumes > 0);
    t.discord.gateway.mute(false);
    await answers(t);
  });

  test("says that it is away during an outage, and comes back by itself", async () => {
    await using t = await openTestBot();
    t.discord.outage(true);
    await until(() => t.bot.state().state === "connecting");
    t.discord.outage(false);
    await t.connected(2);
    expect(t.bot.state().state).toBe("ready");
  });

  test("is off for good when its token is revoked, recorded once, and everything else goes on", async () => {
    await using t = await openTestBot();
    t.discord.revokeToken();
    await until(() => t.bot.state().state === "refused");
    expect(t.bot.state().detail).toContain("Discord refused the bot token.");
    expect(errors(t)).toHaveLength(1);
    await t.bot.drain();
  });
});

test("waits double up to the longest, less up to half", () => {
  fc.assert(
    fc.property(fc.nat(40), (tries) => {
      const wait = backOff({ first: 5_000, longest: 300_000 }, tries);
      const full = Math.min(5_000 * 2 ** tries, 300_000);
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
    }),
  );
});
