import type { Llm } from "../../src/llm/llm.ts";
import { type Bench, type Figure, inTurn, median, ms } from "./figure.ts";
import { ask, openBenchLlm, startStandIn } from "./llm-desk.ts";

const ROUNDS = 200;
const AT_ONCE = 100;
const TOKENS = 200;
const LIMIT_MS = 10;

async function throughWisbot(llm: Llm): Promise<number> {
  const started = performance.now();
  const answer = await ask(llm, "q");
  let first = Number.NaN;
  for await (const event of answer.events) {
    if (event.type === "text" && Number.isNaN(first)) first = performance.now() - started;
  }
  return first;
}

async function direct(url: string): Promise<number> {
  const started = performance.now();
  const body = JSON.stringify({
    model: "llama3.2",
    messages: [{ role: "user", content: "q" }],
    stream: true,
  });
  const response = await fetch(`${url}/api/chat`, { method: "POST", body });
  let first = Number.NaN;
  for await (const chunk of response.body ?? []) {
    if (Number.isNaN(first) && chunk.includes(10)) first = performance.now() - started;
  }
  return first;
}

async function wholeAnswer(llm: Llm, prompt: string): Promise<boolean> {
  const answer = await ask(llm, prompt);
  let text = "";
  for await (const event of answer.events) if (event.type === "text") text += event.text;
  return text === Array.from({ length: TOKENS }, (_, index) => `${prompt}:${index} `).join("");
}

/** The real desk with its queue, its rows in SQLite and its host driver. */
export const firstToken: Bench = {
  name: "first-token",
  async run(): Promise<Figure[]> {
    await using ollama = await startStandIn();
    await using desk = await openBenchLlm({ hosts: [{ url: ollama.url, slots: AT_ONCE }] });
    const { llm } = desk;
    await inTurn(
      20,
      () => throughWisbot(llm),
      () => direct(ollama.url),
    );
    const seen = await inTurn(
      ROUNDS,
      () => throughWisbot(llm),
      () => direct(ollama.url),
    );
    const [ours, baseline] = [median(seen.ours), median(seen.baseline)];
    const prompts = Array.from({ length: AT_ONCE }, (_, index) => `person-${index}`);
    const whole = (await Promise.all(prompts.map((prompt) => wholeAnswer(llm, prompt)))).filter(
      Boolean,
    ).length;
    await llm.idle();
    return [
      {
        what: `first token, ${ROUNDS} answers one after the other`,
        ours: `median ${ms(ours)}`,
        baseline: `direct call ${ms(baseline)}`,
        compared: `${ms(ours - baseline)} above`,
        limit: `${LIMIT_MS} ms`,
        holds: ours - baseline <= LIMIT_MS,
      },
      {
        what: `answers of ${TOKENS} tokens, ${AT_ONCE} at once`,
        ours: `${whole} whole`,
        baseline: `${AT_ONCE} asked`,
        compared: `${AT_ONCE - whole} with a token lost`,
        limit: "0",
        holds: whole === AT_ONCE,
      },
    ];
  },
};
