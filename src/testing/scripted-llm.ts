import { WisError } from "../errors.ts";
import { newCapability } from "../lib/capability.ts";
import type { Answer, AnswerEvent, Llm, Question } from "../llm/llm.ts";
import type { AnswerRow } from "../llm/ports.ts";
import { mayManage } from "../members/member.ts";

/** An answer whose every event the test gives. */
export interface ScriptedAnswer {
  readonly id: string;
  readonly question: Question;
  /** The messages that showed it, in order. */
  readonly shownIn: string[];
  send(event: AnswerEvent): void;
  say(text: string): void;
  done(): void;
  fail(error: WisError): void;
}

export interface ScriptedLlm extends Llm {
  /** The next question that comes in. */
  asked(): Promise<ScriptedAnswer>;
  /** Every `ask` from now on is refused with it; undefined: taken again. */
  refuse(error: WisError | undefined): void;
  /** What an earlier process left behind. */
  leave(row: AnswerRow): void;
  readonly settledIds: string[];
}

/** The Llm port as a test wants it, for edges: nothing happens that the test does not say. */
export function createScriptedLlm(): ScriptedLlm {
  const open = new Map<string, ScriptedAnswer>();
  const arrivals: ScriptedAnswer[] = [];
  const waiting: ((answer: ScriptedAnswer) => void)[] = [];
  const left: AnswerRow[] = [];
  const settledIds: string[] = [];
  let refusal: WisError | undefined;

  function script(question: Question): { answer: Answer; scripted: ScriptedAnswer } {
    const id = newCapability();
    const shownIn: string[] = [];
    const { events, push } = eventQueue();
    const scripted: ScriptedAnswer = {
      id,
      question,
      shownIn,
      send: (event) => push(event),
      say: (text) => push({ type: "text", text }),
      done() {
        open.delete(id);
        push({ type: "done", model: "llama3.2", usage: {} });
      },
      fail(error) {
        open.delete(id);
        push(error);
      },
    };
    const answer: Answer = {
      id,
      events,
      moved: async (messageId) => void shownIn.push(messageId),
    };
    open.set(id, scripted);
    return { answer, scripted };
  }

  return {
    model: "llama3.2",
    settledIds,
    async ask(question) {
      if (refusal) throw refusal;
      const { answer, scripted } = script(question);
      const take = waiting.shift();
      if (take) take(scripted);
      else arrivals.push(scripted);
      return answer;
    },
    stop(id, by) {
      const answer = open.get(id);
      if (!answer) throw new WisError("not_found", { say: "That answer has ended already." });
      if (!mayManage(by, answer.question.member.id)) {
        throw new WisError("forbidden", { say: "Only who asked and moderators may stop an answer." });
      }
      answer.fail(new WisError("llm.stopped", { say: "Stopped." }));
    },
    leftBehind: async () => left.filter(({ id }) => !settledIds.includes(id)),
    settled: async (id) => void settledIds.push(id),
    interruptAll() {
      for (const answer of [...open.values()]) {
        answer.fail(new WisError("llm.interrupted", { say: "WisBot is shutting down." }));
      }
    },
    idle: async () => {},
    asked: () =>
      arrivals.length > 0
        ? Promise.resolve(arrivals.shift() as ScriptedAnswer)
        : new Promise((resolve) => waiting.push(resolve)),
    refuse(error) {
      refusal = error;
    },
    leave: (row) => void left.push(row),
  };
}

/** What is pushed, in order, until it is `done` or an error. */
function eventQueue() {
  const queue: (AnswerEvent | WisError)[] = [];
  let arrival = Promise.withResolvers<void>();

  async function* events(): AsyncGenerator<AnswerEvent> {
    for (;;) {
      const next = queue.shift();
      if (next instanceof WisError) throw next;
      if (next) yield next;
      if (next?.type === "done") return;
      if (queue.length > 0) continue;
      await arrival.promise;
      arrival = Promise.withResolvers();
    }
  }

  return {
    events: events(),
    push(event: AnswerEvent | WisError) {
      queue.push(event);
      arrival.resolve();
    },
  };
}
