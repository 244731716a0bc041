import { describe, expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import type { FileIndex } from "../files/ports.ts";
import { openTestBot, type TestBot } from "../testing/test-bot.ts";

const CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback";

describe("an interaction", () => {
  test("that Discord has given up on is recorded, and nothing else is tried", async () => {
    await using t = await openTestBot();
    t.discord.fail(CALLBACK, { kind: "status", status: 404, code: 10062, message: "Unknown interaction" });
    t.discord.invoke({ command: "wis help" });
    await t.discord.request(CALLBACK);
    await t.bot.drain();
    expect(t.discord.requestsTo(CALLBACK)).toHaveLength(1);
    expect(t.lines().at(-1)).toMatchObject({
      level: "error",
      msg: expect.stringContaining("answering wis help"),
    });
  });

  test("that somebody else answered first is recorded, and nothing else is tried", async () => {
    await using t = await openTestBot();
    const message = "Interaction has already been acknowledged.";
    t.discord.fail(CALLBACK, { kind: "status", status: 400, code: 40060, message });
    t.discord.invoke({ command: "wis upload" });
    await t.discord.request(CALLBACK);
    await t.bot.drain();
    expect(t.discord.requestsTo(CALLBACK)).toHaveLength(1);
    expect(await Array.fromAsync(t.desk.files.list({}))).toEqual([]);
  });

  test("that fails for no known reason tells no internals, and is recorded once with all of them", async () => {
    const broken = new TypeError("x is undefined", { cause: new Error("at the bottom") });
    const wrapIndex = (index: FileIndex) => ({ ...index, insert: () => Promise.reject(broken) });
    await using t = await openTestBot({ wrapIndex });
    const asked = t.discord.invoke({ command: "wis upload" });
    const reply = await asked.waitFor(({ loading }) => !loading);
    expect(reply.content).toStartWith("⚠️ Something went wrong inside WisBot.");
    expect(reply.content).not.toContain("undefined");
    await t.bot.drain();
    const errors = t.lines().filter(({ level }) => level === "error");
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors[0])).toContain("at the bottom");
    expect(reply.content).toContain(String(errors[0]?.trace_id));
  });

  test("that arrives during the shutdown is told so", async () => {
    await using t = await openTestBot();
    await t.bot.drain();
    const reply = await t.discord.invoke({ command: "wis upload" }).waitFor(() => true);
    expect(reply.content).toContain("WisBot is shutting down");
    expect(reply.ephemeral).toBe(true);
  });

  test("is waited for by the shutdown until it has its last edit", async () => {
    await using t = await openTestBot();
    const asked = t.discord.invoke({ command: "wis llm", options: { prompt: "Why?" } });
    const answer = await t.llm.asked();
    const drained = t.bot.drain();
    answer.fail(new WisError("llm.interrupted", { say: "WisBot is shutting down." }));
    await drained;
    expect(asked.message()?.content).toContain("Interrupted: WisBot stopped");
    expect(asked.message()?.buttons.map(({ label }) => label)).toEqual(["Regenerate"]);
  });

  test("is counted with its command and its outcome", async () => {
    await using t = await openTestBot({ files: () => ({ max_files_per_user: 1 }) });
    await t.discord.invoke({ command: "wis help" }).response();
    await t.desk.files.issue({ ownerId: t.discord.user("ada").id });
    await t.discord.invoke({ command: "wis upload" }).waitFor(({ loading }) => !loading);
    await t.bot.drain();
    const metrics = await t.telemetry.scrape();
    expect(metrics).toMatch(/interaction_duration_seconds_count\{[^}]*command="wis help",outcome="ok"/);
    expect(metrics).toMatch(
      /interaction_duration_seconds_count\{[^}]*command="wis upload",outcome="quota.files"/,
    );
    expect(metrics).toMatch(/interaction_first_response_seconds_count\{[^}]*command="wis help"/);
  });
});

describe("an option that is being typed", () => {
  const type = (t: TestBot) =>
    t.discord.type({ user: "ada", command: "wis model", option: "name", text: "" });

  test("is offered nothing when the choices can't be found, and why is recorded", async () => {
    await using t = await openTestBot();
    t.llm.models = () => Promise.reject(new Error("no host"));
    expect(await type(t)).toEqual([]);
    await t.bot.drain();
    const errors = t.lines().filter(({ level }) => level === "error");
    expect(errors).toMatchObject([{ msg: expect.stringContaining("answering autocomplete wis model") }]);
  });

  test("is offered no choice that Discord would refuse", async () => {
    await using t = await openTestBot();
    const model = { size: 0, capabilities: undefined, context: undefined, hosts: ["local"], warm: true };
    t.llm.knows.models = [
      { ...model, name: "x".repeat(101) },
      { ...model, name: "y".repeat(100) },
    ];
    const choices = await type(t);
    expect(choices.map(({ value }) => value)).toEqual(["y".repeat(100), "default"]);
  });
});
