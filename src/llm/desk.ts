import { toWisError, WisError } from "../errors.ts";
import type { Limits } from "../members/limits.ts";
import { type Member, mayManage } from "../members/member.ts";
import { type AnswerDeps, type OpenQuestion, type RunningAnswer, startAnswer } from "./answer.ts";
import { interrupted, shuttingDown, stopped, takenBack } from "./endings.ts";
import type { Answer, Llm } from "./llm.ts";
import { createMemory } from "./memory.ts";
import { createModels } from "./models.ts";
import type { Pool } from "./pool.ts";
import type { AttemptLog, LlmChoices } from "./ports.ts";
import { createPulls, type PullsDeps } from "./pulls.ts";
import { type Admission, createQuestions, type PreparedQuestion } from "./questions.ts";
import { createRate } from "./rate.ts";
import { createSettings } from "./settings.ts";
import type { Usage } from "./usage.ts";

export interface LlmDeps extends Omit<AnswerDeps, "pool" | "usage">, Pick<PullsDeps, "roomOn" | "closing"> {
  pool: Pool;
  attempts: AttemptLog;
  choices: LlmChoices;
  usage: Usage;
  limits: Pick<Limits, "maxRequestsPerMinute" | "llm">;
  config: AnswerDeps["config"] & { model: string; allow_models: string[]; pull: "nobody" | "moderators" };
}

/** The LLM desk: who may ask, what is being answered, and how it all ends. */
export function createLlm(deps: LlmDeps): Llm {
  const { turns, attempts, choices, config, limits, metrics, now, pool, queue, usage } = deps;
  const rate = createRate({
    most: limits.maxRequestsPerMinute,
    window: 60,
    say: `That were more than ${limits.maxRequestsPerMinute} questions in a minute.`,
  });
  // The database is written anew each time.
  const erasures = createRate({ most: 2, window: 600, say: "You were forgotten a moment ago." });
  const settings = createSettings(deps);
  const models = createModels({ pool, settings });
  const memory = createMemory({ turns, attempts, choices });
  const pulls = createPulls({ ...deps, settings });
  const open = new Map<string, RunningAnswer>();
  const entering = new Set<Entering>();
  const openIn = (conversation: string) =>
    [...open.values()].findLast((running) => running.conversation === conversation)?.id;
  const questions = createQuestions({ ...deps, settings, models, memory, openIn });
  let closing = false;
  metrics.llm.waiting.addCallback((gauge) => gauge.observe(queue.depth.waiting));
  metrics.llm.active.addCallback((gauge) => gauge.observe(queue.depth.active));
  pool.onChange(() => {
    queue.reconsider();
    for (const running of open.values()) running.reconsider();
  });

  /** Over only when nobody finds it here any more. */
  function start(question: OpenQuestion): RunningAnswer {
    const running = startAnswer(deps, question);
    const over = running.over.then(() => {
      open.delete(running.id);
    });
    open.set(running.id, { ...running, over });
    return running;
  }

  /** Counts a question, and answers it; what is refused is not counted. */
  async function admit(member: Member, prepare: Prepare): Promise<Answer> {
    const abort = new AbortController();
    const entry: Entering = { userId: member.id, abort, hasRoom: false, over: Promise.resolve() };
    const admitting = begin(member, prepare, entry);
    entry.over = Promise.allSettled([admitting]);
    entering.add(entry);
    try {
      return await admitting;
    } catch (error) {
      metrics.llm.requests.add(1, { model: config.model, outcome: toWisError(error).code });
      throw error;
    } finally {
      entering.delete(entry);
    }
  }

  async function begin(member: Member, prepare: Prepare, entry: Entering): Promise<Answer> {
    const { signal } = entry.abort;
    await rate.take(member.id);
    if (closing) throw shuttingDown();
    const counted = await usage.take(member);
    try {
      signal.throwIfAborted();
      const prepared = await prepare(admissionOf(entry));
      signal.throwIfAborted();
      // Making it ready may have taken a while.
      const refusal = pool.refusal(prepared.turn.model);
      if (refusal) throw refusal;
      entry.hasRoom = false;
      const { accepted, answer } = start({ ...prepared, counted });
      await accepted;
      return answer;
    } catch (error) {
      await counted.giveBack();
      throw error;
    }
  }

  function admissionOf(entry: Entering): Admission {
    const ahead = () => [...entering].filter(({ hasRoom }) => hasRoom).length;
    const assertRoom = (model: string) => queue.assertRoom(pool.preference(model), ahead());
    return {
      signal: entry.abort.signal,
      assertRoom,
      claimRoom(model) {
        assertRoom(model);
        entry.hasRoom = true;
      },
    };
  }

  return {
    ...settings,
    ...models,
    ...memory,
    pull: pulls.pull,
    pulling: pulls.pulling,
    allowed: usage.allowed,
    model: config.model,

    ask: (question) => admit(question.member, (admission) => questions.asked(question, admission)),
    regenerate: (turnId, by, at) => admit(by, () => questions.again(turnId, by, at)),
    carryOn: (turnId, by, at) => admit(by, () => questions.goOn(turnId, by, at)),

    stop(turnId, by) {
      const running = open.get(turnId);
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
    withdraw: (turnId) => open.get(turnId)?.end(takenBack()),

    async forget(userId) {
      await erasures.take(userId);
      const isTheirs = (one: { userId: string }) => one.userId === userId;
      const coming = [...entering].filter(isTheirs);
      for (const { abort } of coming) abort.abort(takenBack());
      const running = [...open.values()].filter(isTheirs);
      for (const one of running) one.end(takenBack());
      await Promise.all([...coming, ...running].map(({ over }) => over));
      return memory.forget(userId);
    },

    async leftBehind() {
      const before = new Set(open.keys());
      const rows = await turns.unfinished();
      // An answer of this process takes longer than that read: it was open before it or is open after.
      return rows.filter(({ id }) => !before.has(id) && !open.has(id));
    },
    async settled(turnId) {
      const nothing = { text: "", thinking: "", tokens: 0 };
      const turn = await turns.end(turnId, { state: "interrupted", endedAt: now(), ...nothing });
      // What was said is lost for the conversation, through no fault of its asker.
      if (turn) await usage.counted(turn.userId, turn.createdAt).giveBack();
    },

    interruptAll() {
      closing = true;
      for (const { abort } of entering) abort.abort(shuttingDown());
      for (const running of open.values()) running.end(interrupted());
    },
    async idle() {
      while (entering.size + open.size > 0)
        await Promise.all([...entering, ...open.values()].map(({ over }) => over));
      await pulls.idle();
    },
    status: () => ({ hosts: pool.health(), ...queue.depth }),
  };
}

type Prepare = (admission: Admission) => Promise<PreparedQuestion>;

/** A question that is being made ready. */
interface Entering {
  userId: string;
  abort: AbortController;
  /** Room in the queue is kept for it. */
  hasRoom: boolean;
  /** Resolves when it is taken or refused. Never rejects. */
  over: Promise<unknown>;
}
