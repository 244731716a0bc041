import { WisError } from "../errors.ts";
import { newCapability } from "../lib/capability.ts";
import { isOlder } from "../llm/attempt-cursor.ts";
import type {
  Answer,
  AnswerEvent,
  AnswerFacts,
  Attachment,
  Llm,
  ModelView,
  Pull,
  Question,
  Spot,
} from "../llm/llm.ts";
import type { AnswerPlace, AttemptRow, ModelVotes, PersonaRow, PlaceRow, TurnRow } from "../llm/ports.ts";
import { type Member, mayManage } from "../members/member.ts";

/** A question, with what the desk has called for. */
export interface TakenQuestion extends Omit<Question, "spot" | "attachments">, Spot {
  attachments: Attachment[];
}

/** An answer whose every event the test gives. */
export interface ScriptedAnswer {
  readonly id: string;
  readonly question: TakenQuestion;
  /** The messages that showed it, in order. */
  readonly shownIn: string[];
  send(event: AnswerEvent): void;
  say(text: string): void;
  done(facts?: Partial<AnswerFacts>): void;
  fail(error: WisError): void;
}

/** What the test has the desk know; changed at will. */
export interface ScriptedKnowledge {
  turns: Map<string, TurnRow>;
  models: ModelView[];
  /** By who or where: a user's, channel's or server's id. */
  chosen: Map<string, string | null>;
  places: Map<string, PlaceRow>;
  personas: PersonaRow[];
  attempts: AttemptRow[];
  votes: ModelVotes[];
  /** What `pulling` tells, in order. */
  pulls: Pull[];
  allowed: Awaited<ReturnType<Llm["allowed"]>>;
  status: ReturnType<Llm["status"]>;
  /** Every other call, in order: its name and what it was given. */
  readonly calls: { name: string; input: unknown }[];
}

export interface ScriptedLlm extends Llm {
  readonly knows: ScriptedKnowledge;
  /** The next question that comes in. */
  asked(): Promise<ScriptedAnswer>;
  /** Every `ask` from now on is refused with it; undefined: taken again. */
  refuse(error: WisError | undefined): void;
  /** What an earlier process left behind. */
  leave(row: TurnRow): void;
  readonly settledIds: string[];
}

/** The Llm port as a test wants it, for edges: nothing happens that the test does not say. */
export function createScriptedLlm(): ScriptedLlm {
  const open = new Map<string, ScriptedAnswer>();
  const arrivals: ScriptedAnswer[] = [];
  const waiting: ((answer: ScriptedAnswer) => void)[] = [];
  const left: TurnRow[] = [];
  const settledIds: string[] = [];
  const knows = createKnowledge();
  let refusal: WisError | undefined;

  function script(question: TakenQuestion): { answer: Answer; scripted: ScriptedAnswer } {
    const id = newCapability();
    const shownIn: string[] = [];
    const { events, push } = eventQueue();
    const scripted: ScriptedAnswer = {
      id,
      question,
      shownIn,
      send: (event) => push(event),
      say: (text) => push({ type: "text", text }),
      done(facts) {
        open.delete(id);
        push({ type: "done", model: "llama3.2", facts: { ...noFacts, ...facts } });
      },
      fail(error) {
        open.delete(id);
        push(error);
      },
    };
    const answer: Answer = {
      id,
      model: question.model ?? "llama3.2",
      question: question.prompt,
      events,
      moved: async (messageId) => void shownIn.push(messageId),
    };
    open.set(id, scripted);
    return { answer, scripted };
  }

  function take(question: TakenQuestion): Answer {
    if (refusal) throw refusal;
    const { answer, scripted } = script(question);
    const next = waiting.shift();
    if (next) next(scripted);
    else arrivals.push(scripted);
    return answer;
  }

  function turnOf(id: string): TurnRow {
    const turn = knows.turns.get(id);
    if (!turn) throw new WisError("not_found", { say: "That answer is no longer known." });
    return turn;
  }

  function mine(id: string, by: Member): TurnRow {
    const turn = turnOf(id);
    if (turn.userId === by.id) return turn;
    throw new WisError("forbidden", { say: "Only the person who asked can do that." });
  }

  function again(id: string, by: Member, place: AnswerPlace): Answer {
    const { question, model } = mine(id, by);
    const talk = { kind: "chain" } as const;
    return take({ member: by, prompt: question, where: place, place, model, talk, attachments: [] });
  }

  function called(name: string, input: unknown): void {
    if (refusal) throw refusal;
    knows.calls.push({ name, input });
  }

  return {
    model: "llama3.2",
    knows,
    settledIds,
    async ask({ spot, attachments, ...question }) {
      if (refusal) throw refusal;
      const fetched = attachments ? await attachments(new AbortController().signal) : [];
      return take({ ...question, attachments: fetched, ...(await spot()) });
    },
    regenerate: async (id, by, { place }) => again(id, by, place),
    carryOn: async (id, by, { place }) => again(id, by, place),
    withdraw(id) {
      open.get(id)?.fail(new WisError("llm.stopped", { say: "Stopped." }));
    },
    turn: async (id) => turnOf(id),
    async vote(id, by, vote) {
      mine(id, by).vote = vote;
    },
    models: async () => knows.models,
    async modelFor(member, { channelId, guildId }) {
      const [me, channel, server] = [member.id, channelId, guildId ?? ""].map((id) => knows.chosen.get(id));
      if (me) return { model: me, chosenBy: "me" };
      if (channel) return { model: channel, chosenBy: "channel" };
      if (server) return { model: server, chosenBy: "server" };
      return { model: "llama3.2", chosenBy: "config" };
    },
    async chooseModel(input) {
      called("chooseModel", input);
      const { by, where, scope, model } = input;
      const ids = { me: by.id, channel: where.channelId, server: where.guildId ?? "" };
      knows.chosen.set(ids[scope], model);
    },
    async pull(model, by) {
      called("pull", { model, by });
      return knows.pulls[0] ?? nothingPulled(model);
    },
    async *pulling() {
      yield* knows.pulls;
    },
    place: async ({ channelId, guildId }) => ({
      channel: knows.places.get(channelId),
      server: knows.places.get(guildId ?? ""),
    }),
    async setPlace(input) {
      called("setPlace", input);
      const guildId = input.where.guildId ?? "";
      const placeId = input.scope === "server" ? guildId : input.where.channelId;
      const before = knows.places.get(placeId) ?? { ...noPlace, placeId, guildId };
      knows.places.set(placeId, { ...before, ...input.change });
    },
    persona: async ({ channelId, guildId }) =>
      knows.personas.findLast(({ placeId }) => placeId === channelId) ??
      knows.personas.findLast(({ placeId }) => placeId === guildId),
    async setPersona(input) {
      called("setPersona", input);
      const { by, where, scope, text } = input;
      const guildId = where.guildId ?? "";
      const placeId = scope === "server" ? guildId : where.channelId;
      const version = knows.personas.filter((one) => one.placeId === placeId).length + 1;
      knows.personas.push({ placeId, guildId, version, text, authorId: by.id, createdAt: version });
      return version;
    },
    personaVersions: async (where, scope, limit) => {
      const id = scope === "server" ? where.guildId : where.channelId;
      return knows.personas
        .filter(({ placeId }) => placeId === id)
        .reverse()
        .slice(0, limit);
    },
    async clear(by, talk) {
      called("clear", { by, talk });
      return 3;
    },
    async forget(userId) {
      called("forget", userId);
      return { turns: 3, attempts: 4, choices: 1 };
    },
    async *exportOf(userId) {
      called("exportOf", userId);
      yield '{"turns":[';
      yield "]}";
    },
    history: async ({ limit, before }) =>
      knows.attempts
        .map((row, index) => ({ ...row, number: knows.attempts.length - index }))
        .filter((row) => !before || isOlder(row, before))
        .slice(0, limit),
    votes: async () => knows.votes,
    allowed: async () => knows.allowed,
    status: () => knows.status,
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

/** Of an answer that nothing is known of. */
export const noFacts: AnswerFacts = {
  usage: {},
  context: undefined,
  dropped: 0,
  truncated: [],
  waitedMs: 0,
  cutOff: false,
  hasThinking: false,
};

const noPlace = { model: null, off: false, threads: false, freeResponse: false };

function createKnowledge(): ScriptedKnowledge {
  return {
    turns: new Map(),
    models: [],
    chosen: new Map(),
    places: new Map(),
    personas: [],
    attempts: [],
    votes: [],
    pulls: [],
    allowed: { used: { requests: 0, tokens: 0, gpuMs: 0 }, allowance: {}, resetsAt: 0 },
    status: { hosts: [], waiting: 0, active: 0 },
    calls: [],
  };
}

function nothingPulled(model: string): Pull {
  return { model, host: "local", state: "running", status: "pulling", share: undefined, error: undefined };
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
