import type { Member } from "../members/member.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { IMAGE_TOKENS } from "./budget.ts";
import type { ChatMessage, ChatUsage } from "./ports.ts";
import type { TokenCounter } from "./token-count.ts";
import type { Usage } from "./usage.ts";

export interface TallyDeps {
  usage: Pick<Usage, "add">;
  counter: TokenCounter;
  metrics: Pick<Metrics, "llm">;
}

/** Counts what one question took of a host: for its asker's quota, the metrics, and the guesses about later ones. */
export interface Tally {
  /** It was answered to the end; what the host did not say is guessed. `gpuMs`: of the host's time. */
  whole(messages: readonly ChatMessage[], counted: ChatUsage, gpuMs: number): Promise<void>;
  /** It was cut off: a host says what it counted at the end only. */
  part(messages: readonly ChatMessage[], gpuMs: number): Promise<void>;
  /** Nothing was said, and the host worked all the same. */
  time(gpuMs: number): Promise<void>;
}

export function createTally(
  { usage, counter, metrics }: TallyDeps,
  { member, model, said }: { member: Member; model: string; said: { text: string; thinking: string } },
): Tally {
  function learn(messages: readonly ChatMessage[], { inputTokens }: ChatUsage): void {
    const hasImages = messages.some(({ images }) => images !== undefined);
    if (inputTokens === undefined || hasImages) return;
    const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    counter.learn(model, bytes, inputTokens);
  }

  function guessed(messages: readonly ChatMessage[]): ChatUsage {
    const read = messages.map(
      ({ content, images = [] }) => counter.estimate(model, content) + images.length * IMAGE_TOKENS,
    );
    return {
      inputTokens: read.reduce((sum, tokens) => sum + tokens, 0),
      outputTokens: counter.estimate(model, said.text + said.thinking),
    };
  }

  async function account({ inputTokens = 0, outputTokens = 0 }: ChatUsage, gpuMs: number): Promise<void> {
    metrics.llm.inputTokens.add(inputTokens, { model });
    metrics.llm.outputTokens.add(outputTokens, { model });
    await usage.add(member, { tokens: inputTokens + outputTokens, gpuMs: Math.round(gpuMs) });
  }

  return {
    async whole(messages, counted, gpuMs) {
      learn(messages, counted);
      await account({ ...guessed(messages), ...counted }, gpuMs);
    },
    part: (messages, gpuMs) => account(guessed(messages), gpuMs),
    time: (gpuMs) => account({}, gpuMs),
  };
}
