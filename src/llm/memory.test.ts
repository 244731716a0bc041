import { expect, test } from "bun:test";
import { member, openTestLlm, read } from "../testing/llm-desk.ts";

/** The smallest PNG there is. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
  "base64",
);

test("everything of one member is exported, images too, and nothing of another", async () => {
  await using stage = await openTestLlm({
    hosts: [{ ollama: { describe: { capabilities: ["completion", "vision"] } } }],
  });
  await read(
    await stage.ask("ann", "What is in it?", {
      attachments: [{ name: "a.png", contentType: "image/png", bytes: PNG }],
    }),
  );
  await read(await stage.ask("bob", "bob's secret"));
  const where = { guildId: "1", channelId: "2" };
  await stage.llm.setPersona({ by: member("ann", true), where, scope: "channel", text: "You are a pirate." });
  await stage.llm.setPersona({ by: member("bob", true), where, scope: "server", text: "By bob." });
  const text = (await Array.fromAsync(stage.llm.exportOf("ann"))).join("");
  expect(JSON.parse(text)).toMatchObject({
    user: "ann",
    turns: [
      {
        question: "What is in it?",
        text: expect.stringContaining("Hello"),
        images: [PNG.toString("base64")],
      },
    ],
    history: [{ outcome: "ok", host: "local" }],
    personas: [{ text: "You are a pirate.", version: 1 }],
  });
  expect(text).not.toContain("bob");
  // What lets Discord's message be edited is nobody's to have.
  expect(text).not.toContain("interactionToken");
});

test("a vote is its asker's, in the board of their server, and is taken back by another", async () => {
  await using stage = await openTestLlm();
  const answer = await stage.ask("ann");
  await read(answer);
  await expect(stage.llm.vote(answer.id, member("bob"), 1)).rejects.toMatchObject({ code: "forbidden" });
  await stage.llm.vote(answer.id, member("ann"), 1);
  expect(await stage.llm.votes("1")).toEqual([{ model: "llama3.2", up: 1, down: 0, answers: 1 }]);
  await stage.llm.vote(answer.id, member("ann"), 0);
  expect(await stage.llm.votes("1")).toMatchObject([{ up: 0, down: 0 }]);
});

test("forgetting ends what runs, and says what went", async () => {
  await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
  const running = await stage.ask("ann", "still running");
  const ended = read(running);
  expect(await stage.llm.forget("ann")).toMatchObject({ turns: 1 });
  expect((await ended).error).toMatchObject({ code: "llm.stopped" });
  expect(stage.queue.depth).toEqual({ waiting: 0, active: 0 });
});

test("nobody is forgotten over and over: the database is written anew each time", async () => {
  await using stage = await openTestLlm();
  await stage.llm.forget("ann");
  await stage.llm.forget("ann");
  await expect(stage.llm.forget("ann")).rejects.toMatchObject({ code: "rate_limited" });
});
