import { describe, expect, test } from "bun:test";
import { openTestBot } from "../../testing/test-bot.ts";
import { commands } from "./index.ts";

describe("/wis help", () => {
  test("names every command, with the limits that apply to the asker, to them alone", async () => {
    await using t = await openTestBot();
    const reply = await t.discord.invoke({ command: "wis help" }).waitFor(() => true);
    for (const { name } of commands) expect(reply.content).toMatch(new RegExp(`</wis ${name}:\\d+>`));
    expect(reply.content).toContain("250 MB");
    expect(reply.content).toContain("10 questions a minute");
    expect(reply.ephemeral).toBe(true);
  });

  test("has a few words for each command, so that a phone shows them", async () => {
    await using t = await openTestBot();
    const { content } = await t.discord.invoke({ command: "wis help" }).waitFor(() => true);
    for (const line of content.split("\n")) {
      const seen = line.replace(/<\/([^:]+):\d+>/, "/$1");
      expect(seen.length, seen).toBeLessThanOrEqual(100);
    }
  });

  test("is the same list as Discord's own, with descriptions that Discord takes", () => {
    for (const { description, options = [] } of commands as readonly {
      description: string;
      options?: { description: string }[];
    }[]) {
      for (const text of [description, ...options.map((option) => option.description)]) {
        expect(text.length, text).toBeLessThanOrEqual(100);
      }
    }
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
  });
});
