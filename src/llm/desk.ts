import { toWisError, WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import { newCapability } from "../lib/capability.ts";
import type { Limits } from "../members/limits.ts";
import { type Member, mayManage } from "../members/member.ts";
import { type AnswerDeps, type OpenQuestion, type RunningAnswer, startAnswer } from "./answer.ts";
import { budgetOf, IMAGE_TOKENS, USUAL_CONTEXT } from "./budget.ts";
import { TURN_TOKENS, threadOf } from "./conversation.ts";
import { interrupted, shuttingDown, stopped, takenBack } from "./endings.ts";
import type { Answer, Attachment, Llm, Question, ShownAt } from "./llm.ts";
import { createMemory } from "./memory.ts";
import { createModels } from "./models.ts";
import type { Pool } from "./pool.ts";
import type { AttemptLog, LlmChoices, TurnRow } from "./ports.ts";
import { GO_ON } from "./prompt.ts";
import { createPulls, type PullsDeps } from "./pulls.ts";
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

/** Images that go along with one question, and their bytes together: they are kept with it. */
const MOST_IMAGES = 4;
const MOST_IMAGE_BYTES = 10e6;
/** Of a file's text, for one question: about 20,000 tokens. */
const MOST_CHARACTERS = 60_000;

/** The LLM desk: who may ask, what is being answered, and how it all ends. */
export function createLlm(deps: LlmDeps): Llm {
  const { turns, attempts, choices, config, counter, limits, metrics, now, pool, queue, usage } = deps;
  const questions = createRate({
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
  async function admit(member: Member, prepare: () => Promise<OpenQuestion>): Promise<Answer> {
    try {
      await questions.take(member.id);
      if (closing) throw shuttingDown();
      await usage.take(member);
      return await begin(member, prepare);
    } catch (error) {
      metrics.llm.requests.add(1, { model: config.model, outcome: toWisError(error).code });
      throw error;
    }
  }

  async function begin(member: Member, prepare: () => Promise<OpenQuestion>): Promise<Answer> {
    try {
      const question = await prepare();
      const refusal = pool.refusal(question.turn.model, new Set());
      if (refusal) throw refusal;
      if (closing) throw shuttingDown();
      const { accepted, answer } = start(question);
      await accepted;
      return answer;
    } catch (error) {
      await usage.giveBack(member);
      throw error;
    }
  }

  async function prepare(question: Question): Promise<OpenQuestion> {
    const { member, prompt, place, talk, attachments = [] } = question;
    const where = { ...place, parentChannelId: question.parentChannelId };
    const [chosen, thread] = await Promise.all([
      settings.chosen(member, where),
      threadOf({ turns, openIn }, { talk, place }),
    ]);
    if (chosen.server?.off) throw switchedOff();
    const model = question.model === undefined ? chosen.model : await models.nameOf(question.model);
    const read = attachments.length === 0 ? nothingRead : await readFor(model, attachments);
    if (read.images.length > 0) await assertSees(model);
    if (sizeOf(read.images) > MOST_IMAGE_BYTES) throw tooHeavy();
    const { parent } = thread;
    const id = newCapability();
    return {
      ...manner(member, chosen.persona?.text),
      turn: {
        id,
        conversation: thread.conversation ?? id,
        parentId: parent?.id ?? null,
        depth: parent ? parent.depth + 1 : 0,
        userId: member.id,
        userName: member.name,
        question: prompt,
        documents: read.documents,
        model,
        place,
        createdAt: now(),
        tokens: tokensOf(model, read.documents + prompt, read.images),
      },
      images: read.images,
      truncated: read.truncated,
      goOn: false,
    };
  }

  const openIn = (conversation: string) =>
    [...open.values()].findLast((running) => running.conversation === conversation)?.id;

  const tokensOf = (model: string, text: string, images: readonly Uint8Array[]) =>
    TURN_TOKENS + counter.estimate(model, text) + images.length * IMAGE_TOKENS;

  /** Files as far as about half of what the model reads at once. */
  async function readFor(model: string, attachments: Attachment[]) {
    const { prompt } = budgetOf(pool.contextOf(model, undefined, config.context) ?? USUAL_CONTEXT);
    const rules = { maxImages: MOST_IMAGES, signal: deps.closing };
    const maxCharacters = Math.min(MOST_CHARACTERS, Math.floor(prompt * 1.5));
    const read = await readFiles(attachments, { ...rules, maxCharacters });
    // Characters of other scripts than Latin take up to three times as many tokens.
    const share = (0.75 * prompt) / counter.estimate(model, read.documents);
    return share >= 1
      ? read
      : readFiles(attachments, { ...rules, maxCharacters: Math.floor(share * maxCharacters) });
  }

  function manner(member: Member, persona = ""): Pick<OpenQuestion, "member" | "persona" | "priority"> {
    const { id: ownerId, asker } = member;
    return { member, persona, priority: limits.llm({ ownerId, asker }).priority };
  }

  /** A turn that follows from an earlier one of the same asker. */
  async function following(
    turnId: string,
    by: Member,
    { place, parentChannelId }: ShownAt,
    change: (before: TurnRow) => Partial<TurnRow>,
  ): Promise<OpenQuestion> {
    const before = await memory.turn(turnId);
    if (before.userId !== by.id) throw notYours();
    const chosen = await settings.chosen(by, { ...place, parentChannelId });
    if (chosen.server?.off) throw switchedOff();
    const id = newCapability();
    const { parentId, depth, userId, userName, question, documents } = { ...before, ...change(before) };
    const goOn = parentId === turnId;
    const model = settings.isAllowed(before.model) ? before.model : chosen.model;
    const images = goOn ? [] : (await turns.images([turnId])).map(({ bytes }) => bytes);
    const newest = await newestBeside(before);
    return {
      ...manner(by, chosen.persona?.text),
      turn: {
        ...{ id, parentId, depth, userId, userName, question, documents, model, place },
        // The next question of a thread goes on from its end, not from what is beside an earlier answer.
        conversation: newest && newest.createdAt > before.createdAt ? id : before.conversation,
        createdAt: now(),
        tokens: tokensOf(model, documents + question, images),
      },
      images,
      truncated: [],
      goOn,
    };
  }

  /** The end of the thread or direct messages that a turn belongs to; undefined in a reply chain. */
  async function newestBeside({ conversation, place }: TurnRow): Promise<TurnRow | undefined> {
    if (conversation !== place.channelId) return undefined;
    const talk = { kind: "channel", channelId: conversation } as const;
    return (await threadOf({ turns, openIn }, { talk, place })).parent;
  }

  async function assertSees(model: string): Promise<void> {
    const described = await pool.describe(model);
    if (!described || described.capabilities.includes("vision")) return;
    throw new WisError("attachment.unreadable", {
      say: `The model "${model}" can't see images.`,
      hint: "Choose one that sees images with /wis model, or ask without the image.",
    });
  }

  return {
    ...settings,
    ...models,
    ...memory,
    pull: pulls.pull,
    pulling: pulls.pulling,
    allowed: usage.allowed,
    model: config.model,

    ask: (question) => admit(question.member, () => prepare(question)),
    regenerate: (turnId, by, at) => admit(by, () => following(turnId, by, at, () => ({}))),
    carryOn: (turnId, by, at) =>
      admit(by, () =>
        following(turnId, by, at, ({ id, depth }) => ({
          parentId: id,
          depth: depth + 1,
          question: GO_ON,
          documents: "",
        })),
      ),

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
      const mine = [...open.values()].filter((running) => running.userId === userId);
      for (const running of mine) running.end(takenBack());
      await Promise.all(mine.map(({ over }) => over));
      return memory.forget(userId);
    },

    async leftBehind() {
      const before = new Set(open.keys());
      const rows = await turns.unfinished();
      // An answer of this process takes longer than that read: it was open before it or is open after.
      return rows.filter(({ id }) => !before.has(id) && !open.has(id));
    },
    settled: (turnId) =>
      turns.end(turnId, { state: "interrupted", endedAt: now(), text: "", thinking: "", tokens: 0 }),

    interruptAll() {
      closing = true;
      for (const running of open.values()) running.end(interrupted());
    },
    async idle() {
      while (open.size > 0) await Promise.all([...open.values()].map(({ over }) => over));
      await pulls.idle();
    },
    status: () => ({ hosts: pool.health(), ...queue.depth }),
  };
}

const nothingRead = { documents: "", images: [] as Uint8Array[], truncated: [] as string[] };

/** What reads files takes 7 MB of memory: it is loaded for the first of them. */
async function readFiles(...given: Parameters<typeof import("./documents/read.ts").readAttachments>) {
  const { readAttachments } = await import("./documents/read.ts");
  return readAttachments(...given);
}

const sizeOf = (images: readonly Uint8Array[]) => images.reduce((sum, { length }) => sum + length, 0);

function tooHeavy(): WisError {
  return new WisError("attachment.unreadable", {
    say: `The images have more than ${formatBytes(MOST_IMAGE_BYTES)} together.`,
    hint: "Attach fewer or smaller ones.",
  });
}

function switchedOff(): WisError {
  return new WisError("llm.off", {
    say: "A moderator has switched answers off in this server.",
    hint: "Ask a moderator: /wis settings switches them on again.",
  });
}

function notYours(): WisError {
  return new WisError("forbidden", {
    say: "Only the person who asked can do that.",
    hint: "Ask a question of your own with /wis llm.",
  });
}
