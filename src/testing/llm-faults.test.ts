import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ended, errorIdIn, type FaultStage, type Kind, kinds, models, openFaultStage } from "./llm-faults.ts";
import type { ChatTrouble } from "./ollama.ts";

// What a model server can do wrong, through the front door. Of each: a sentence in place of the answer or below what is
// there of it, a trace with the error under the id that the person reads, a free slot, and the right quota.

let stage: FaultStage;
beforeAll(async () => {
  stage = await openFaultStage({ llm: { timeout: "1500ms" } });
});
afterAll(async () => {
  await using ending = stage;
  await ending.expectHistory();
});

const PART = "The sky is blue because of how air scatters light";
const tokens = [...PART.split(/(?<= )/), " and", " never", " said."];
const after = tokens.length - 3;

const cut = (kind: Kind) => `The model server "${kind}" stopped in the middle of the answer.`;
const unusable = (kind: Kind) => `The model server "${kind}" could not answer properly.`;
const late = () => "The answer was not finished after 2 seconds, so WisBot ended it.";
const busy = (kind: Kind) => `The model server "${kind}" has too much to do right now.`;

interface Fault {
  trouble: ChatTrouble;
  say(kind: Kind): string;
  code: string;
  /** Whether what came before is there. */
  part: boolean;
  /** The server's own, for the operator. */
  words?: string;
}

const memory = "model requires more system memory (5.6 GiB) than is available (3.1 GiB)";
const faults: Record<string, Fault> = {
  "never answers": { trouble: { kind: "hang" }, say: late, code: "llm.timeout", part: false },
  "falls silent": { trouble: { kind: "stall", after }, say: late, code: "llm.timeout", part: true },
  "breaks off before the first token": { trouble: { kind: "cut" }, say: cut, code: "llm.cut", part: false },
  "ends without its end": { trouble: { kind: "unfinished", after }, say: cut, code: "llm.cut", part: true },
  "sends what is no JSON": {
    trouble: { kind: "garbage", after },
    say: unusable,
    code: "llm.bad_reply",
    part: true,
  },
  "fails in the middle": {
    trouble: { kind: "error", after, error: "llama runner process has terminated" },
    say: cut,
    code: "llm.cut",
    part: true,
    words: "llama runner process has terminated",
  },
  "is out of memory": {
    trouble: { kind: "refused", error: memory },
    say: unusable,
    code: "llm.bad_reply",
    part: false,
    words: memory,
  },
  "has too much to do": { trouble: { kind: "busy" }, say: busy, code: "llm.host_busy", part: false },
};

describe.each(kinds)("a server of kind %s that", (kind) => {
  test.each(Object.entries(faults))("%s", async (_, { trouble, say, code, part, words }) => {
    const user = stage.newcomer();
    stage.host(kind).set({ answer: tokens, manual: false, trouble });
    const { content } = await stage.ask({ user, kind }).waitFor(ended);
    expect(content).toStartWith(`> Why?\n${part ? `${PART}\n` : ""}⚠️ ${say(kind)}\n`);
    const errorId = errorIdIn({ content });
    const more = words === undefined ? {} : { words };
    await stage.expectAftermath({
      user,
      kind,
      errorId,
      code,
      outcomes: [code],
      counts: Number(part),
      ...more,
    });
  });
});

describe.each(kinds)("a server of kind %s", (kind) => {
  test("that is not there", async () => {
    const user = stage.newcomer();
    const back = await stage.takeAway(kind);
    const { content } = await stage.ask({ user, kind }).waitFor(ended);
    await back();
    expect(content).toStartWith(`> Why?\n⚠️ The model server "${kind}" can't be reached.\n`);
    const code = "llm.unreachable";
    const errorId = errorIdIn({ content });
    await stage.expectAftermath({ user, kind, errorId, code, outcomes: [code], counts: 0 });
  });

  test("that no longer has the model", async () => {
    const user = stage.newcomer();
    const [usual, rare] = models[kind];
    stage.host(kind).set({ models: [usual] });
    const { content } = await stage.ask({ user, kind, options: { model: rare } }).waitFor(ended);
    expect(content).toStartWith(`> Why?\n⚠️ The model "${rare}" is not on the model server "${kind}".\n`);
    const code = "llm.model_missing";
    const errorId = errorIdIn({ content });
    await stage.expectAftermath({ user, kind, errorId, code, outcomes: [code], counts: 0 });
  });

  const broken: [string, ChatTrouble | undefined][] = [
    ["breaks off in the middle of a token", undefined],
    ["sends less than it announces", { kind: "short" }],
  ];
  test.each(broken)("that %s", async (_, trouble) => {
    const user = stage.newcomer();
    stage.host(kind).set({ manual: true, trouble });
    const asked = stage.ask({ user, kind });
    const chat = await stage.nextChat(kind);
    await chat.token(PART);
    await asked.waitFor(({ content }) => content.includes(PART));
    await chat.halfToken(" and never said.");
    chat.cut();
    const { content } = await asked.waitFor(ended);
    expect(content).toStartWith(`> Why?\n${PART}\n⚠️ ${cut(kind)}\n`);
    const code = "llm.cut";
    const errorId = errorIdIn({ content });
    await stage.expectAftermath({ user, kind, errorId, code, outcomes: [code], counts: 1 });
  });

  test("that says a token now and then is heard to its end", async () => {
    const user = stage.newcomer();
    stage.host(kind).set({
      answer: ["Slowly", " but", " surely."],
      tokensPerSecond: 4,
      manual: false,
      trouble: undefined,
    });
    const { content } = await stage.ask({ user, kind }).waitFor(ended);
    expect(content).toStartWith("> Why?\nSlowly but surely.\n-# ");
    await stage.expectAftermath({ user, kind, code: undefined, outcomes: ["ok"], counts: 1 });
  });
});
