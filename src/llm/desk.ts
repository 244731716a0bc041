import { toWisError, WisError } from "../errors.ts";
import type { Limits } from "../members/limits.ts";
import { mayManage } from "../members/member.ts";
import { type AnswerDeps, type RunningAnswer, startAnswer } from "./answer.ts";
import { interrupted, shuttingDown, stopped } from "./endings.ts";
import type { Llm } from "./llm.ts";
import { createRate } from "./rate.ts";

export interface LlmDeps extends AnswerDeps {
  limits: Pick<Limits, "maxRequestsPerMinute">;
}

/** The LLM desk: who may ask, what is being answered, and how it all ends. */
export function createLlm({ limits, ...deps }: LlmDeps): Llm {
  const { answers, config, metrics, now, queue } = deps;
  const rate = createRate({ perMinute: limits.maxRequestsPerMinute });
  const open = new Map<string, RunningAnswer>();
  let closing = false;
  metrics.llm.waiting.addCallback((gauge) => gauge.observe(queue.depth.waiting));
  metrics.llm.active.addCallback((gauge) => gauge.observe(queue.depth.active));

  /** Over only when nobody finds it here any more. */
  function start(question: Parameters<Llm["ask"]>[0]): RunningAnswer {
    const running = startAnswer(deps, question);
    const over = running.over.then(() => {
      open.delete(running.id);
    });
    open.set(running.id, { ...running, over });
    return running;
  }

  return {
    model: config.model,

    async ask(question) {
      await rate.take(question.member.id).catch((error: unknown) => {
        metrics.llm.requests.add(1, { model: config.model, outcome: toWisError(error).code });
        throw error;
      });
      if (closing) throw shuttingDown();
      const { accepted, answer } = start(question);
      await accepted;
      return answer;
    },

    stop(answerId, by) {
      const running = open.get(answerId);
      if (!running) {
        throw new WisError("not_found", { say: "That answer has ended already." });
      }
      if (!mayManage(by, running.userId)) {
        throw new WisError("forbidden", {
          say: "Only the person who asked and moderators can stop an answer.",
        });
      }
      running.end(stopped());
    },

    async leftBehind() {
      const before = new Set(open.keys());
      const rows = await answers.unfinished();
      // An answer of this process takes longer than that read: it was open before it or is open after.
      return rows.filter(({ id }) => !before.has(id) && !open.has(id));
    },

    settled: (answerId) => answers.end(answerId, { state: "interrupted", endedAt: now() }),

    interruptAll() {
      closing = true;
      for (const running of open.values()) running.end(interrupted());
    },

    async idle() {
      while (open.size > 0) await Promise.all([...open.values()].map(({ over }) => over));
    },
  };
}
