import { describe, expect, test } from "bun:test";
import { type AskedHere, member, openTestLlm, place, read, type TestLlm } from "../testing/llm-desk.ts";
import type { Talk } from "./llm.ts";

/** The texts of the last question that a host was asked, as it got them. */
function lastPrompt({ ollamas }: TestLlm): string[] {
  const chats = ollamas.flatMap(({ requests }) => requests).filter(({ path }) => path === "/api/chat");
  const last = chats.at(-1);
  if (!last) throw new Error("no host was asked");
  const { messages } = last.body as { messages: { content: string }[] };
  return messages.map(({ content }) => content);
}

let shown = 100;

/** Asks, reads the answer to its end, and shows it in a message. */
async function say(stage: TestLlm, userId: string, prompt: string, more: Partial<AskedHere> = {}) {
  const answer = await stage.ask(userId, prompt, more);
  shown += 1;
  const messageId = String(shown);
  await answer.moved(messageId);
  const { text, events, error } = await read(answer);
  const done = events.find((event) => event.type === "done");
  return { id: answer.id, messageId, text, error, facts: done?.facts };
}

const echo = (prompt: string) => [`you said ${prompt}`];
const replyTo = (messageId: string): { talk: Talk } => ({ talk: { kind: "chain", replyTo: messageId } });
const inThread = (channelId: string): Partial<AskedHere> => ({
  talk: { kind: "channel", channelId },
  place: { ...place, channelId },
});

describe("a conversation", () => {
  test("goes on by replying, and a new question knows nothing of it", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    const first = await say(stage, "ann", "My cat is called Minka.");
    await say(stage, "ann", "What is she called?", replyTo(first.messageId));
    expect(lastPrompt(stage).slice(1)).toEqual([
      "My cat is called Minka.",
      "you said My cat is called Minka.",
      "What is she called?",
    ]);
    await say(stage, "ann", "What is she called?");
    expect(lastPrompt(stage).join()).not.toContain("Minka");
  });

  test("that two people reply to is two conversations from there on", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    const first = await say(stage, "ann", "root");
    await say(stage, "ann", "left", replyTo(first.messageId));
    await say(stage, "bob", "right", replyTo(first.messageId));
    expect(lastPrompt(stage).join()).toContain("root");
    expect(lastPrompt(stage).join()).not.toContain("left");
  });

  test("in a thread goes on by itself, and says who said what where two talk", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    await say(stage, "ann", "one", inThread("900"));
    await say(stage, "bob", "two", inThread("900"));
    expect(lastPrompt(stage).slice(1)).toEqual(["ann: one", "you said one", "bob: two"]);
  });

  test("never takes a word from another channel or server, whatever message somebody names", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    const secret = await say(stage, "ann", "The password is swordfish.");
    const elsewhere = { place: { ...place, guildId: "77", channelId: "78" }, ...replyTo(secret.messageId) };
    await say(stage, "bob", "What is it?", elsewhere);
    expect(lastPrompt(stage).join()).not.toContain("swordfish");
    await say(stage, "bob", "one", inThread("900"));
    await say(stage, "bob", "two", inThread("901"));
    expect(lastPrompt(stage).slice(1)).toEqual(["two"]);
  });

  test("of two hundred messages still answers, keeps its newest part, and says what it dropped", async () => {
    const words = "lorem ipsum dolor sit amet ".repeat(20);
    await using stage = await openTestLlm({
      hosts: [{ ollama: { answer: [words] } }],
      config: { context: 4_096 },
    });
    for (let turn = 0; turn < 100; turn += 1) await say(stage, "ann", `question ${turn}`, inThread("900"));
    const last = await say(stage, "ann", "And now?", inThread("900"));
    expect(last.error).toBeUndefined();
    const prompt = lastPrompt(stage);
    const kept = (prompt.length - 2) / 2;
    expect(prompt).toContain("question 99");
    expect(prompt).not.toContain("question 1");
    expect(last.facts).toMatchObject({ context: 4_096, dropped: 100 - kept });
    expect(kept).toBeGreaterThan(5);
  });

  test("in a thread loses no question that came while another was being answered", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    const both = [
      await stage.ask("ann", "one", inThread("900")),
      await stage.ask("bob", "two", inThread("900")),
    ];
    for (const answer of both) expect((await read(answer)).error).toBeUndefined();
    await say(stage, "cid", "three", inThread("900"));
    expect(lastPrompt(stage).slice(1)).toEqual([
      ...["ann: one", "you said one", "bob: two", "you said two"],
      "cid: three",
    ]);
  });

  test("in a thread goes on from its end when an earlier answer was made anew", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    const first = await say(stage, "ann", "one", inThread("900"));
    await say(stage, "ann", "two", inThread("900"));
    await read(
      await stage.llm.regenerate(first.id, member("ann"), { place: { ...place, channelId: "900" } }),
    );
    await say(stage, "ann", "three", inThread("900"));
    expect(lastPrompt(stage).slice(1)).toEqual(["one", "you said one", "two", "you said two", "three"]);
  });

  test("has room for its images, and for files in every script", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { answer: echo, describe: { capabilities: ["vision"] } } }],
      config: { context: 4_096 },
    });
    const bytes = new TextEncoder().encode("漢字仮名".repeat(3_000));
    const text = { name: "a.txt", contentType: "text/plain", bytes };
    await say(stage, "ann", "Read it", { attachments: [text] });
    expect(Buffer.byteLength(lastPrompt(stage).join("")) / 3).toBeLessThan(3_072);

    await say(stage, "ann", "before ".repeat(300), inThread("900"));
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const image = { name: "a.png", contentType: "image/png", bytes: png };
    await say(stage, "ann", "See", { ...inThread("900"), attachments: [image, image, image, image] });
    expect(lastPrompt(stage).slice(1)).toEqual(["See"]);
  });

  test("reads of a file what there is room for beside a long question", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { answer: echo } }],
      config: { context: 4_096 },
    });
    const text = { name: "a.txt", contentType: "text/plain", bytes: Buffer.from("file ".repeat(5_000)) };
    await say(stage, "ann", "long ".repeat(1_200), { attachments: [text] });
    const prompt = lastPrompt(stage).join("");
    expect(prompt).toContain("file file");
    expect((Buffer.byteLength(prompt) / 3) * 1.1).toBeLessThan(3_200);
  });

  test("whose first turn was erased goes on from what is left", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    await say(stage, "ann", "mine", inThread("900"));
    await say(stage, "bob", "bob's", inThread("900"));
    await stage.llm.forget("ann");
    await say(stage, "cid", "next", inThread("900"));
    const prompt = lastPrompt(stage).join();
    expect(prompt).toContain("bob's");
    expect(prompt).not.toContain("mine");
  });
});

describe("a question that is longer than a model reads at once", () => {
  const prompt = "word ".repeat(8_000);

  test("is refused instead of cut, and given back", async () => {
    await using stage = await openTestLlm({ config: { context: 4_096 } });
    const { error } = await say(stage, "ann", prompt);
    expect(error).toMatchObject({ code: "bad_request", say: expect.stringContaining("reads 4096 at once") });
    expect(stage.ollama.requests.some(({ path }) => path === "/api/chat")).toBe(false);
    expect((await stage.llm.allowed(member("ann"))).used).toMatchObject({ requests: 0, tokens: 0 });
  });

  test("is asked all the same where nobody knows how much that is", async () => {
    await using stage = await openTestLlm();
    expect((await say(stage, "ann", prompt)).error).toBeUndefined();
  });

  test("goes to a model server that reads more", async () => {
    const [small, large] = [{ loaded: ["llama3.2"] }, { loaded: [] }];
    await using stage = await openTestLlm({ hosts: [{ ollama: small, priority: 1 }, { ollama: large }] });
    await stage.pool.look();
    expect((await say(stage, "ann", prompt)).error).toBeUndefined();
    const asked = stage.ollamas.map(({ requests }) => requests.some(({ path }) => path === "/api/chat"));
    expect(asked).toEqual([false, true]);
  });
});

describe("an answer", () => {
  test("regenerated is asked the same with the same past, and stands beside the first", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: echo } }] });
    const first = await say(stage, "ann", "root");
    const second = await say(stage, "ann", "again?", replyTo(first.messageId));
    await read(await stage.llm.regenerate(second.id, member("ann"), { place }));
    expect(lastPrompt(stage).slice(1)).toEqual(["root", "you said root", "again?"]);
    expect(stage.llm.regenerate(second.id, member("bob"), { place })).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  test("made anew in a thread has the persona of the channel that the thread hangs under", async () => {
    await using stage = await openTestLlm();
    const where = { guildId: "1", channelId: "2" };
    await stage.llm.setPersona({
      by: member("mod", true),
      where,
      scope: "channel",
      text: "You are a pirate.",
    });
    const inside = { ...inThread("900"), parentChannelId: "2" };
    const first = await say(stage, "ann", "Hi", inside);
    const at = { place: { ...place, channelId: "900" }, parentChannelId: "2" };
    await read(await stage.llm.regenerate(first.id, member("ann"), at));
    expect(lastPrompt(stage)[0]).toStartWith("You are a pirate.");
  });

  test("that was cut off is gone on with", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask("ann", "Count");
    const chat = await stage.ollama.nextChat();
    await chat.token("1 2 3");
    await chat.finish("length");
    const { events } = await read(answer);
    expect(events.at(-1)).toMatchObject({ type: "done", facts: { cutOff: true } });
    const rest = await stage.llm.carryOn(answer.id, member("ann"), { place });
    const more = await stage.ollama.nextChat();
    await more.token("4 5 6");
    await more.finish();
    expect((await read(rest)).text).toBe("4 5 6");
    expect(lastPrompt(stage).slice(1, 3)).toEqual(["Count", "1 2 3"]);
    expect(lastPrompt(stage).at(-1)).toStartWith("Go on exactly where you stopped");
  });

  test("that filled the whole context is gone on with from its end", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { manual: true } }],
      config: { context: 1_000 },
    });
    const answer = await stage.ask("ann", "Tell all");
    const chat = await stage.ollama.nextChat();
    await chat.token(`${"lorem ipsum ".repeat(400)}the very end`);
    await chat.finish("length");
    await read(answer);
    const rest = await stage.llm.carryOn(answer.id, member("ann"), { place });
    const more = await stage.ollama.nextChat();
    await more.token("and more");
    await more.finish();
    await read(rest);
    const [, question, before] = lastPrompt(stage);
    expect(question).toBe("Tell all");
    expect(before).toEndWith("the very end");
    expect(lastPrompt(stage).join("").length).toBeLessThan(3_000);
  });

  test("to a long file is gone on with without reading the file's room twice", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { answer: ["lorem ipsum dolor sit amet ".repeat(100)] } }],
      config: { context: 4_096 },
    });
    const bytes = new TextEncoder().encode("word ".repeat(900));
    const attachments = [{ name: "a.txt", contentType: "text/plain", bytes }];
    const first = await say(stage, "ann", "Sum it up", { attachments });
    await read(await stage.llm.carryOn(first.id, member("ann"), { place }));
    expect(lastPrompt(stage)).toHaveLength(4);
    expect(lastPrompt(stage)[1]).toContain("word word");
  });

  test("that was thought about says so, keeps the thoughts apart, and never sends them along", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask("ann", "Think");
    const chat = await stage.ollama.nextChat();
    await chat.thinking("A greeting, I guess.");
    await chat.token("Hello");
    await chat.finish();
    const { events, text } = await read(answer);
    expect(text).toBe("Hello");
    expect(events).toContainEqual({ type: "thinking" });
    expect(events.at(-1)).toMatchObject({ facts: { hasThinking: true } });
    expect((await stage.llm.turn(answer.id)).thinking).toBe("A greeting, I guess.");
    await answer.moved("500");
    const next = await stage.ask("ann", "And?", replyTo("500"));
    const second = await stage.ollama.nextChat();
    await second.token("Bye");
    await second.finish();
    await read(next);
    expect(lastPrompt(stage).join()).not.toContain("I guess");
  });

  test("goes through a host that dies before its first token, and its history says both", async () => {
    await using stage = await openTestLlm({
      hosts: [{ priority: 2 }, { ollama: { answer: ["from the second"] }, priority: 1 }],
    });
    await stage.ollamas[0]?.stop();
    const { text, error } = await say(stage, "ann", "Hi");
    expect([text, error]).toEqual(["from the second", undefined]);
    const history = await stage.llm.history({ userId: "ann", limit: 10 });
    expect(history.map(({ host, outcome }) => [host, outcome])).toEqual([
      ["host2", "ok"],
      ["host1", "llm.unreachable"],
    ]);
    expect(stage.queue.depth).toEqual({ waiting: 0, active: 0 });
  });

  test("that has begun is not begun again elsewhere", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { trouble: { kind: "unfinished", after: 1 } }, priority: 2 }, { priority: 1 }],
    });
    const { text, error } = await say(stage, "ann", "Hi");
    expect(text).toBe("Hello");
    expect(error).toMatchObject({ code: "llm.cut" });
    expect(stage.ollamas[1]?.requests.filter(({ path }) => path === "/api/chat")).toEqual([]);
  });
});

describe("limits", () => {
  test("a question over the quota is refused with when it counts anew, and one that came to nothing is given back", async () => {
    await using stage = await openTestLlm({ limits: { requests: 2 } });
    await say(stage, "ann", "one");
    await stage.ollama.stop();
    expect((await say(stage, "ann", "two")).error).toMatchObject({ code: "llm.unreachable" });
    expect((await stage.llm.allowed(member("ann"))).used.requests).toBe(1);
  });

  test("tokens and time count once they are known", async () => {
    await using stage = await openTestLlm({ limits: { tokens: 5 } });
    await say(stage, "ann", "one");
    await expect(stage.ask("ann", "two")).rejects.toMatchObject({
      code: "quota.llm",
      say: expect.stringContaining("5 tokens"),
    });
    expect(await stage.llm.allowed(member("bob"))).toMatchObject({ used: { tokens: 0 } });
  });

  test("what was said before a Stop counts, though the host counted nothing", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask("ann", "Tell me a lot");
    await stage.ollama.emit("word ".repeat(100));
    await read(answer, ({ type }) => type === "text" && stage.llm.stop(answer.id, member("ann")));
    await stage.llm.idle();
    const { used } = await stage.llm.allowed(member("ann"));
    expect(used.tokens).toBeGreaterThan(100);
    expect(used.requests).toBe(1);
  });

  test("a server whose moderators switched answers off gets none", async () => {
    await using stage = await openTestLlm();
    const where = { guildId: "1", channelId: "2" };
    const off = { where, scope: "server" as const, change: { off: true } };
    await expect(stage.llm.setPlace({ by: member("ann"), ...off })).rejects.toMatchObject({
      code: "forbidden",
    });
    await stage.llm.setPlace({ by: member("mod", true), ...off });
    await expect(stage.ask("ann")).rejects.toMatchObject({ code: "llm.off" });
    const there = await say(stage, "ann", "Hi", { place: { ...place, guildId: "9", channelId: "8" } });
    expect(there.error).toBeUndefined();
  });
});

describe("choices", () => {
  const where = { guildId: "1", channelId: "2" };

  test("the nearest one holds: mine, the channel's, the server's, the admin's", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { models: ["llama3.2", "a", "b", "c"] } }] });
    const mod = member("mod", true);
    const chosen = async () => await stage.llm.modelFor(member("ann"), where);
    expect(await chosen()).toEqual({ model: "llama3.2", chosenBy: "config" });
    for (const [scope, by, model] of [
      ["server", mod, "a"],
      ["channel", mod, "b"],
      ["me", member("ann"), "c"],
    ] as const) {
      await stage.llm.chooseModel({ by, where, scope, model });
      expect(await chosen()).toEqual({ model: `${model}:latest`, chosenBy: scope });
    }
    await stage.llm.chooseModel({ by: member("ann"), where, scope: "me", model: null });
    expect(await chosen()).toEqual({ model: "b:latest", chosenBy: "channel" });
  });

  test("only what the admin allows, and only what a host has", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { models: ["llama3.2", "qwen3:8b"] } }],
      config: { allow_models: ["llama*", "gone"] },
    });
    const choose = (model: string) => stage.llm.chooseModel({ by: member("ann"), where, scope: "me", model });
    await expect(choose("qwen3:8b")).rejects.toMatchObject({ code: "llm.model_refused" });
    await expect(choose("gone")).rejects.toMatchObject({ code: "llm.model_missing" });
    expect((await stage.llm.models()).map(({ name }) => name)).toEqual(["llama3.2:latest"]);
  });

  test("an answer made anew is not asked of a model that the admin took off the list", async () => {
    const allow_models: string[] = [];
    await using stage = await openTestLlm({
      hosts: [{ ollama: { models: ["llama3.2", "qwen3:8b"] } }],
      config: { allow_models },
    });
    const first = await say(stage, "ann", "Hi", { model: "qwen3:8b" });
    allow_models.push("llama*");
    const again = await stage.llm.regenerate(first.id, member("ann"), { place });
    expect(again.model).toBe("llama3.2");
    await read(again);
  });

  test("a persona holds in its channel and the threads under it, and is versioned", async () => {
    await using stage = await openTestLlm();
    const mod = member("mod", true);
    const write = (text: string) => stage.llm.setPersona({ by: mod, where, scope: "channel", text });
    expect(await write("You are a pirate.")).toBe(1);
    await say(stage, "ann", "Hi", { ...inThread("900"), parentChannelId: "2" });
    expect(lastPrompt(stage)[0]).toStartWith("You are a pirate.");
    expect(await write("")).toBe(2);
    await say(stage, "ann", "Hi");
    expect(lastPrompt(stage)[0]).toStartWith("You are WisBot");
  });
});
