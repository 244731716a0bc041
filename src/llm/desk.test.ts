import { describe, expect, test } from "bun:test";
import { member, openTestLlm, questionOf, read } from "../testing/llm-desk.ts";
import type { AnswerEvent } from "./llm.ts";
import type { TurnLog, TurnRow } from "./ports.ts";

/** The rows of answers that have not ended. */
async function openRows({ turns }: { turns: TurnLog }, ids: string[]): Promise<TurnRow[]> {
  return (await turns.unfinished()).filter(({ id }) => ids.includes(id));
}

describe("an answer", () => {
  test("streams its text and ends with the model and its counts", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: ["Hel", "lo"] } }] });
    const { text, events } = await read(await stage.ask());
    expect(text).toBe("Hello");
    expect(events).toEqual([
      {
        type: "done",
        model: "llama3.2",
        facts: expect.objectContaining({ usage: expect.objectContaining({ outputTokens: 2 }) }),
      },
    ]);
    expect(stage.queue.depth).toEqual({ waiting: 0, active: 0 });
    expect(await stage.turns.unfinished()).toEqual([]);
  });

  test("comes token by token, not at the end", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const events = (await stage.ask()).events[Symbol.asyncIterator]();
    for (const text of ["one", "two"]) {
      await stage.ollama.emit(text);
      expect(await events.next()).toEqual({ done: false, value: { type: "text", text } });
    }
  });

  test("gives the model the question after a short neutral instruction", async () => {
    await using stage = await openTestLlm();
    await read(await stage.ask("ann", "What is a span?"));
    const chat = stage.ollama.requests.find(({ path }) => path === "/api/chat");
    expect(chat?.body).toMatchObject({
      messages: [{ role: "system" }, { role: "user", content: "What is a span?" }],
      keep_alive: "60000ms",
    });
  });

  test("says that the model is being loaded, when it is", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true, loaded: [] } }] });
    const events = (await stage.ask()).events[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ type: "loading", model: "llama3.2" });
    await stage.ollama.emit("Hello");
    expect((await events.next()).value).toEqual({ type: "text", text: "Hello" });
  });

  test("loses no token with a hundred at once", async () => {
    const tokens = (prompt: string) => Array.from({ length: 200 }, (_, index) => `${prompt}:${index} `);
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: tokens }, slots: 100 }] });
    const users = Array.from({ length: 100 }, (_, index) => `user${index}`);
    const read100 = users.map(async (user) => (await read(await stage.ask(user, user))).text);
    expect(await Promise.all(read100)).toEqual(users.map((user) => tokens(user).join("")));
    expect(stage.queue.depth.active).toBe(0);
  });

  test("joins the text that a slow reader has not read", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: ["a", "b", "c"] } }] });
    const answer = await stage.ask();
    await stage.llm.idle();
    expect(await Array.fromAsync(answer.events)).toEqual([
      { type: "text", text: "abc" },
      { type: "done", model: "llama3.2", facts: expect.anything() },
    ]);
  });

  test("longer than what may lie unread waits for its reader and loses nothing", async () => {
    const tokens = Array.from({ length: 300 }, (_, index) => `${index}`.padEnd(1000, "."));
    await using stage = await openTestLlm({ hosts: [{ ollama: { answer: tokens } }] });
    const { text, error } = await read(await stage.ask());
    expect(error).toBeUndefined();
    expect(text).toBe(tokens.join(""));
  });

  test("remembers which message shows it", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask();
    await answer.moved("99");
    expect(await openRows(stage, [answer.id])).toMatchObject([{ place: { messageId: "99" } }]);
  });
});

describe("waiting", () => {
  test("tells the place and every change of it, then answers in turn", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const first = await stage.ask("ann");
    const second = read(await stage.ask("bob"));
    const third = read(await stage.ask("cid"));
    (await stage.ollama.nextChat()).finish();
    expect((await read(first)).error).toMatchObject({ code: "llm.bad_reply" });
    for (let turn = 0; turn < 2; turn++) {
      const chat = await stage.ollama.nextChat();
      await chat.token("yes");
      await chat.finish();
    }
    expect((await second).events).toContainEqual({ type: "waiting", position: 1, seconds: undefined });
    expect((await third).events.filter(({ type }) => type === "waiting")).toEqual([
      { type: "waiting", position: 2, seconds: undefined },
      { type: "waiting", position: 1, seconds: undefined },
    ]);
  });

  test("nobody's second question goes before another's first", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const asked = [];
    for (const prompt of ["ann 1", "ann 2", "ann 3", "bob 1"]) {
      asked.push(read(await stage.ask(prompt.slice(0, 3), prompt)));
    }
    const order = [];
    for (let turn = 0; turn < 4; turn++) {
      const chat = await stage.ollama.nextChat();
      order.push(chat.prompt);
      await chat.token("yes");
      await chat.finish();
    }
    await Promise.all(asked);
    expect(order).toEqual(["ann 1", "bob 1", "ann 2", "ann 3"]);
  });

  test("a full queue refuses at once and leaves no row", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }], maxQueue: 1 });
    const ids = [(await stage.ask("ann")).id, (await stage.ask("bob")).id];
    await expect(stage.ask("cid")).rejects.toMatchObject({
      code: "llm.queue_full",
      say: "The queue is full: 1 being answered, 1 waiting.",
    });
    expect((await stage.turns.unfinished()).map(({ id }) => id)).toEqual(ids);
  });

  test("too many questions in a minute are refused with the time to wait", async () => {
    await using stage = await openTestLlm({ perMinute: 2 });
    for (let turn = 0; turn < 2; turn++) await read(await stage.ask("ann"));
    await expect(stage.ask("ann")).rejects.toMatchObject({
      code: "rate_limited",
      hint: expect.stringMatching(/^Try again in (59|60) seconds\.$/),
    });
    expect((await read(await stage.ask("bob"))).error).toBeUndefined();
  });
});

describe("what goes wrong", () => {
  test.each([
    ["Ollama is stopped", "llm.unreachable"],
    ["the model is missing", "llm.model_missing"],
    ["Ollama's queue is full", "llm.host_busy"],
    ["the answer is empty", "llm.bad_reply"],
  ] as const)("%s: an honest error, a free slot and a failed row", async (trouble, code) => {
    const ended: unknown[] = [];
    await using stage = await openTestLlm({
      hosts: [
        {
          ollama: {
            answer: [" ", "\n"],
            ...(trouble === "the model is missing" && { models: [] }),
            ...(trouble === "Ollama's queue is full" && { trouble: { kind: "busy" as const } }),
          },
        },
      ],
      log: (log) => ({
        ...log,
        end(id, outcome) {
          ended.push(outcome);
          return log.end(id, outcome);
        },
      }),
    });
    if (trouble === "Ollama is stopped") await stage.ollama.stop();
    const { error } = await read(await stage.ask());
    expect(error).toMatchObject({ name: "WisError", code });
    expect(ended).toMatchObject([{ state: "failed", errorCode: code }]);
    expect(stage.queue.depth).toEqual({ waiting: 0, active: 0 });
    expect(await stage.turns.unfinished()).toEqual([]);
  });

  test("cut in the middle: the part stays, then comes the error", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask();
    const chat = await stage.ollama.nextChat();
    await chat.token("The sky is");
    const { text, error } = await read(answer, ({ type }) => type === "text" && chat.cut());
    expect(text).toBe("The sky is");
    expect(error).toMatchObject({ code: "llm.cut" });
  });

  test("cut before anything can be seen: another host answers, and nothing was said before or counted", async () => {
    await using stage = await openTestLlm({
      hosts: [
        { ollama: { answer: ["\u200b", "\n", "never"], trouble: { kind: "cut", after: 2 } }, priority: 1 },
        { ollama: { answer: ["fine"] } },
      ],
    });
    expect(await read(await stage.ask())).toMatchObject({ text: "fine", error: undefined });
    await stage.ollamas[1]?.stop();
    expect((await read(await stage.ask("bob"))).error).toBeDefined();
    expect((await stage.llm.allowed(member("bob"))).used).toMatchObject({ requests: 0, tokens: 0 });
  });

  test("a model that falls silent is ended by the time limit, and the part stays", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { trouble: { kind: "stall", after: 2 } } }],
      timeout: 50,
    });
    const { text, error } = await read(await stage.ask());
    expect(text).toBe("Hello!");
    expect(error).toMatchObject({ code: "llm.timeout" });
    await stage.ollama.abandoned();
    expect(stage.ollama.aborted).toBe(1);
  });

  test("a host that never answers is ended by the time limit", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { trouble: { kind: "hang" } } }],
      timeout: 50,
    });
    expect((await read(await stage.ask())).error).toMatchObject({ code: "llm.timeout" });
    expect(stage.queue.depth.active).toBe(0);
  });

  test("the time limit counts from the slot, not from the question", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }], timeout: 250 });
    const first = read(await stage.ask("ann"));
    const second = read(await stage.ask("bob"));
    await stage.ollama.nextChat();
    expect((await first).error).toMatchObject({ code: "llm.timeout" });
    const chat = await stage.ollama.nextChat();
    await chat.token("In time");
    await chat.finish();
    expect(await second).toMatchObject({ text: "In time", error: undefined });
  });

  test("a database that fails while an answer starts ends it and frees the slot", async () => {
    await using stage = await openTestLlm({
      hosts: [{ ollama: { trouble: { kind: "hang" } } }],
      log: (log) => ({ ...log, answering: () => Promise.reject(new Error("disk I/O error")) }),
    });
    const { error } = await read(await stage.ask());
    expect(error).toMatchObject({ code: "internal", cause: { message: "disk I/O error" } });
    expect(stage.queue.depth.active).toBe(0);
  });

  test("a question that cannot be written down is refused and frees its slot", async () => {
    await using stage = await openTestLlm({
      log: (log) => ({ ...log, insert: () => Promise.reject(new Error("database is full")) }),
    });
    await expect(stage.ask()).rejects.toThrow("database is full");
    await stage.llm.idle();
    expect(stage.queue.depth).toEqual({ waiting: 0, active: 0 });
  });
});

test("questions that a host can't take, and answers without a word, keep nobody else from it", async () => {
  await using stage = await openTestLlm({ hosts: [{ ollama: { answer: [] } }] });
  for (let turn = 0; turn < 3; turn++)
    expect((await read(await stage.ask("ann"))).error).toMatchObject({ code: "llm.bad_reply" });
  const error = "the prompt is longer than the context";
  stage.ollama.set({ trouble: { kind: "refused", error, status: 400 } });
  for (let turn = 0; turn < 3; turn++)
    expect((await read(await stage.ask("ann"))).error).toMatchObject({ code: "bad_request" });
  stage.ollama.set({ trouble: undefined, answer: ["fine"] });
  expect((await read(await stage.ask("bob"))).text).toBe("fine");
});

test("a quota that can't be given back keeps no row open", async () => {
  await using stage = await openTestLlm({ hosts: [{ ollama: { trouble: { kind: "busy" } } }] });
  stage.store.usage.add = () => Promise.reject(new Error("disk I/O error"));
  expect((await read(await stage.ask())).error).toMatchObject({ code: "llm.host_busy" });
  await stage.llm.idle();
  expect(await stage.turns.unfinished()).toEqual([]);
});

test("a refused question is counted once", async () => {
  await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }], maxQueue: 1 });
  for (const user of ["ann", "bob"]) await stage.ask(user);
  await expect(stage.ask("cid")).rejects.toMatchObject({ code: "llm.queue_full" });
  const text = await stage.telemetry.scrape();
  expect(text).toMatch(/wisbot_llm_requests_total\{[^}]*outcome="llm.queue_full"[^}]*\} 1\n/);
});

describe("stopping", () => {
  test("the asker's Stop ends the request and keeps the part", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask("ann");
    await stage.ollama.emit("Hel");
    const stop = ({ type }: AnswerEvent) => type === "text" && stage.llm.stop(answer.id, member("ann"));
    const { text, error } = await read(answer, stop);
    expect(text).toBe("Hel");
    expect(error).toMatchObject({ code: "llm.stopped" });
    await stage.ollama.abandoned();
    expect(stage.queue.depth.active).toBe(0);
    expect(() => stage.llm.stop(answer.id, member("ann"))).toThrow("ended already");
  });

  test("a moderator may stop it, others may not", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask("ann");
    expect(() => stage.llm.stop(answer.id, member("bob"))).toThrow("Only the person who asked");
    stage.llm.stop(answer.id, member("bob", true));
    expect((await read(answer)).error).toMatchObject({ code: "llm.stopped" });
  });

  test("stopping while it waits leaves the queue without asking the model", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    await stage.ask("ann");
    const waiting = await stage.ask("bob");
    stage.llm.stop(waiting.id, member("bob"));
    expect((await read(waiting)).error).toMatchObject({ code: "llm.stopped" });
    expect(stage.queue.depth).toEqual({ waiting: 0, active: 1 });
    const chat = await stage.ollama.nextChat();
    await chat.token("yes");
    await chat.finish();
    await stage.llm.idle();
    expect(stage.ollama.requests.filter(({ path }) => path === "/api/chat")).toHaveLength(1);
  });

  test("an answer that nobody reads any more is stopped", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const answer = await stage.ask();
    await stage.ollama.emit("Hello");
    for await (const _event of answer.events) break;
    await stage.llm.idle();
    expect(stage.queue.depth.active).toBe(0);
  });
});

describe("the end of a process", () => {
  test("open answers are interrupted, new questions refused, and every row is written", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true } }] });
    const running = read(await stage.ask("ann"));
    const waiting = read(await stage.ask("bob"));
    stage.llm.interruptAll();
    await stage.llm.idle();
    expect(await stage.turns.unfinished()).toEqual([]);
    expect((await running).error).toMatchObject({ code: "llm.interrupted" });
    expect((await waiting).error).toMatchObject({ code: "llm.interrupted" });
    await expect(stage.ask()).rejects.toMatchObject({ code: "shutting_down" });
  });

  test("the next process finds what was left behind, without its own answers, until it is settled", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true }, slots: 2 }] });
    const left = await stage.ask("ann");
    const next = stage.restarted();
    const own = await next.ask(questionOf({ member: member("bob"), prompt: "Hi" }));
    expect(await next.leftBehind()).toMatchObject([{ id: left.id, state: "answering", userId: "ann" }]);
    await next.settled(left.id);
    expect(await next.leftBehind()).toEqual([]);
    expect((await stage.turns.unfinished()).map(({ id }) => id)).toEqual([own.id]);
    next.interruptAll();
    await next.idle();
  });

  test("a question that was left behind is given back once, and no other with it", async () => {
    await using stage = await openTestLlm({ hosts: [{ ollama: { manual: true }, slots: 2 }] });
    const left = await stage.ask("ann");
    await stage.ask("ann");
    const next = stage.restarted();
    for (const _ of ["the first time", "the second time"]) {
      await next.settled(left.id);
      expect((await next.allowed(member("ann"))).used.requests).toBe(1);
    }
  });

  test("what was counted can be scraped", async () => {
    await using stage = await openTestLlm();
    await read(await stage.ask());
    const text = await stage.telemetry.scrape();
    expect(text).toContain('wisbot_llm_requests_total{model="llama3.2",outcome="ok"');
    expect(text).toContain('wisbot_llm_time_to_first_token_seconds_count{model="llama3.2",host="local"');
    expect(text).toMatch(/wisbot_llm_output_tokens_total\{model="llama3.2"[^}]*\} 9/);
    expect(text).toMatch(/wisbot_llm_queue_active(\{[^}]*\})? 0/);
  });
});
