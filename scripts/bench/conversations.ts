import { createStreamWriter } from "../../src/discord/stream-writer.ts";
import { systemTimers } from "../../src/discord/timers.ts";
import type { TurnLog } from "../../src/llm/ports.ts";
import { type Bench, type Figure, inTurn, median, ms, times } from "./figure.ts";
import { ask, type BenchLlm, openBenchLlm, place, startStandIn } from "./llm-desk.ts";

const HOSTS = 4;
const TOKENS = 100;
const TOKENS_PER_SECOND = 50;
/** What a host takes for one answer. */
const ANSWER_MS = (TOKENS / TOKENS_PER_SECOND) * 1000;
const SIZES = [1, 20, 200];
const ROUNDS = 5;
const FIRST_LIMIT_MS = 15;
const RATE_LIMIT = 0.98;
const LONG = 10_000;
const SHORT = 10;
const LONG_ROUNDS = 60;
const LONG_LIMIT_MS = 20;
const FLOOD = 40;

interface Seen {
  firstMs: number;
  /** Tokens a second, from the first to the last. */
  rate: number;
}

/** Notes when tokens come. */
function watch() {
  const started = performance.now();
  let first = Number.NaN;
  let last = Number.NaN;
  return {
    token() {
      last = performance.now();
      if (Number.isNaN(first)) first = last;
    },
    seen: (): Seen => ({ firstMs: first - started, rate: (TOKENS - 1) / ((last - first) / 1000) }),
  };
}

/** Through queue, history and stream writer; only Discord itself is left out. */
async function throughWisbot({ llm }: BenchLlm, prompt: string, channelId: string): Promise<Seen> {
  const watched = watch();
  const writer = createStreamWriter<string>({
    write: async () => {},
    book: (notBefore) => ({ at: Math.max(notBefore, Date.now()), giveBack() {} }),
    onRefused: () => {},
    timers: systemTimers,
    now: Date.now,
  });
  let text = "";
  const answer = await ask(llm, prompt, { who: channelId, talk: { kind: "channel", channelId } });
  for await (const event of answer.events) {
    if (event.type !== "text") continue;
    watched.token();
    text += event.text;
    writer.update(text);
  }
  await writer.finish(text);
  if (text !== Array.from({ length: TOKENS }, (_, index) => `${prompt}:${index} `).join("")) {
    throw new Error("an answer came with other tokens than its host sent");
  }
  return watched.seen();
}

async function direct(url: string, prompt: string): Promise<Seen> {
  const watched = watch();
  const body = JSON.stringify({
    model: "llama3.2",
    messages: [{ role: "user", content: prompt }],
    stream: true,
  });
  const response = await fetch(`${url}/api/chat`, { method: "POST", body });
  for await (const chunk of response.body ?? []) {
    // The last line carries no token.
    if (chunk.includes(10) && !Buffer.from(chunk).includes('"done":true')) watched.token();
  }
  return watched.seen();
}

/** So many conversations that go on at once: nobody asks in the same millisecond as all the others. */
const all = (count: number, one: (index: number) => Promise<Seen>) =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await Bun.sleep((index / count) * ANSWER_MS);
      return one(index);
    }),
  );

const medianOf = (seen: Seen[][], what: keyof Seen) => median(seen.flat().map((one) => one[what]));

async function atOnce(desk: BenchLlm, urls: string[], count: number): Promise<Figure[]> {
  const seen = await inTurn(
    ROUNDS,
    (round) => all(count, (index) => throughWisbot(desk, `p${round}-${index}`, `channel-${index}`)),
    () => all(count, (index) => direct(urls[index % urls.length] ?? "", `p${index}`)),
  );
  const above = medianOf(seen.ours, "firstMs") - medianOf(seen.baseline, "firstMs");
  const ratio = medianOf(seen.ours, "rate") / medianOf(seen.baseline, "rate");
  const who = `${count} ${count === 1 ? "conversation" : "conversations at once"} on ${HOSTS} hosts`;
  return [
    {
      what: `first token, ${who}`,
      ours: `median ${ms(medianOf(seen.ours, "firstMs"))}`,
      baseline: `direct calls ${ms(medianOf(seen.baseline, "firstMs"))}`,
      compared: `${ms(above)} above`,
      limit: `${FIRST_LIMIT_MS} ms`,
      holds: above <= FIRST_LIMIT_MS,
    },
    {
      what: `tokens a second, ${who}`,
      ours: medianOf(seen.ours, "rate").toFixed(1),
      baseline: `direct calls ${medianOf(seen.baseline, "rate").toFixed(1)}`,
      compared: times(ratio),
      limit: `at least ${times(RATE_LIMIT)}`,
      holds: ratio >= RATE_LIMIT,
    },
  ];
}

/** A conversation of so many turns, as they would stand after months. */
async function haveSaid(turns: TurnLog, conversation: string, count: number): Promise<void> {
  const words = "What was it that we talked about the other day? ".repeat(4);
  let parentId: string | null = null;
  for (let depth = 0; depth < count; depth += 1) {
    const id = `${conversation}-${depth}`.padEnd(22, "x");
    const about = {
      conversation,
      parentId,
      depth,
      userId: conversation,
      userName: conversation,
      question: words,
    };
    const row = { ...about, id, documents: "", model: "llama3.2", place, createdAt: depth, tokens: 150 };
    await turns.insert(row, []);
    await turns.end(id, { state: "done", endedAt: depth, text: words, thinking: "", tokens: 150 });
    parentId = id;
  }
}

async function longConversation(): Promise<Figure> {
  await using host = await startStandIn({ TOKENS: String(TOKENS) });
  // A modern model's: so that a long past is read as far as it ever is.
  await using desk = await openBenchLlm({ hosts: [{ url: host.url, slots: 4 }], context: 131_072 });
  await haveSaid(desk.store.turns, "long", LONG);
  await haveSaid(desk.store.turns, "short", SHORT);
  const seen = await inTurn(
    LONG_ROUNDS,
    (round) => throughWisbot(desk, `l${round}`, "long"),
    (round) => throughWisbot(desk, `s${round}`, "short"),
  );
  const above = medianOf([seen.ours], "firstMs") - medianOf([seen.baseline], "firstMs");
  return {
    what: `first token in a conversation of ${LONG.toLocaleString("en")} turns`,
    ours: `median ${ms(medianOf([seen.ours], "firstMs"))}`,
    baseline: `of ${SHORT} turns ${ms(medianOf([seen.baseline], "firstMs"))}`,
    compared: `${ms(above)} above`,
    limit: `${LONG_LIMIT_MS} ms`,
    holds: above <= LONG_LIMIT_MS,
  };
}

/** How many answers of somebody who floods come to their end before another's begins. */
async function fairness(): Promise<Figure> {
  await using host = await startStandIn({ TOKENS: "20", TOKENS_PER_SECOND: "400" });
  await using desk = await openBenchLlm({ hosts: [{ url: host.url, slots: 1 }] });
  const { llm } = desk;
  let ended = 0;
  const flood = Array.from({ length: FLOOD }, async () => {
    const answer = await ask(llm, "f", { who: "flooder" });
    for await (const _event of answer.events);
    ended += 1;
  });
  await Bun.sleep(100);
  const before = ended;
  let waited = Number.NaN;
  const answer = await ask(llm, "other");
  for await (const event of answer.events) {
    if (event.type === "text" && Number.isNaN(waited)) waited = ended - before;
  }
  await Promise.all(flood);
  return {
    what: `answers that somebody waits for while another has ${FLOOD} questions waiting, on one slot`,
    ours: String(waited),
    baseline: "alone 0",
    compared: `${waited} more`,
    limit: "1 more",
    holds: waited <= 1,
  };
}

/** Conversations through the whole desk, on hosts that answer at a set rate. */
export const conversations: Bench = {
  name: "conversations",
  async run(): Promise<Figure[]> {
    await using stack = new AsyncDisposableStack();
    const env = { TOKENS: String(TOKENS), TOKENS_PER_SECOND: String(TOKENS_PER_SECOND) };
    const urls: string[] = [];
    for (let host = 0; host < HOSTS; host += 1) urls.push(stack.use(await startStandIn(env)).url);
    const hosts = urls.map((url, index) => ({ name: `host${index}`, url, slots: 50 }));
    const desk = stack.use(await openBenchLlm({ hosts }));
    const figures: Figure[] = [];
    for (const count of SIZES) figures.push(...(await atOnce(desk, urls, count)));
    return [...figures, await longConversation(), await fairness()];
  },
};
