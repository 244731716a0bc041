import { WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import { newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { Limits } from "../members/limits.ts";
import type { Member } from "../members/member.ts";
import type { OpenQuestion } from "./answer.ts";
import { budgetOf, IMAGE_TOKENS, USUAL_CONTEXT } from "./budget.ts";
import { TURN_TOKENS, threadOf } from "./conversation.ts";
import type { ReadAttachments } from "./documents/read.ts";
import type { Attachment, Question, ShownAt } from "./llm.ts";
import type { Memory } from "./memory.ts";
import type { Models } from "./models.ts";
import type { Pool } from "./pool.ts";
import type { TurnLog, TurnRow } from "./ports.ts";
import { GO_ON, instructionOf } from "./prompt.ts";
import type { Chosen, Settings } from "./settings.ts";
import type { TokenCounter } from "./token-count.ts";

/** Makes questions ready to be answered: what was chosen there, what was said before, what came with them. */
export interface Questions {
  /** Throws what `Llm.ask` is refused with. Rejects with the signal's reason when aborted. */
  asked(question: Question, admission: Admission): Promise<PreparedQuestion>;
  /** The same once more. [not_found, forbidden, llm.off] */
  again(turnId: string, by: Member, at: ShownAt): Promise<PreparedQuestion>;
  /** Goes on where its answer was cut off. [not_found, forbidden, llm.off] */
  goOn(turnId: string, by: Member, at: ShownAt): Promise<PreparedQuestion>;
}

/** On its way into the queue. */
export interface Admission {
  /** Aborted when it is not to get there. */
  readonly signal: AbortSignal;
  /** Throws WisError llm.queue_full while it could not even wait. */
  assertRoom(model: string): void;
  /** The same, and keeps what room there is: a place is made for its answer, and it is not to be refused any more. */
  claimRoom(model: string): void;
}

export type PreparedQuestion = Omit<OpenQuestion, "counted">;

export interface QuestionsDeps {
  settings: Pick<Settings, "chosen" | "isAllowed">;
  models: Pick<Models, "nameOf">;
  memory: Pick<Memory, "turn">;
  pool: Pick<Pool, "contextOf" | "describe" | "refusal">;
  turns: Pick<TurnLog, "shownBy" | "latest" | "find" | "images">;
  counter: Pick<TokenCounter, "estimate">;
  limits: Pick<Limits, "llm">;
  config: { context?: number | undefined };
  /** The id of the newest turn of a conversation that is being answered. */
  openIn(conversation: string): string | undefined;
  now: Now;
}

/** Images that go along with one question, and their bytes together: they are kept with it. */
const MOST_IMAGES = 4;
const MOST_IMAGE_BYTES = 10e6;
/** Of a file's text, for one question: about 20,000 tokens. */
const MOST_CHARACTERS = 60_000;
/** Of files, however long the question is: what was left out is said. */
const LEAST_TOKENS = 100;

export function createQuestions(deps: QuestionsDeps): Questions {
  const { settings, models, memory, pool, turns, counter, limits, config, openIn, now } = deps;

  const contextOf = (model: string) => pool.contextOf(model, undefined, config.context) ?? USUAL_CONTEXT;

  const tokensOf = (model: string, text: string, images: readonly Uint8Array[]) =>
    TURN_TOKENS + counter.estimate(model, text) + images.length * IMAGE_TOKENS;

  async function asked(question: Question, admission: Admission): Promise<PreparedQuestion> {
    const { member, prompt, where, attachments } = question;
    const { signal } = admission;
    const chosen = await chosenFor(member, where);
    const model = question.model === undefined ? chosen.model : await models.nameOf(question.model);
    const persona = chosen.persona?.text ?? "";
    assertAnswerable(model);
    admission.assertRoom(model);
    const read = attachments
      ? await readFor(model, instructionOf(persona) + prompt, await attachments(signal), signal)
      : nothingRead;
    admission.claimRoom(model);
    const { place, talk } = await question.spot();
    const thread = await threadOf({ turns, openIn }, { talk, place });
    const { parent } = thread;
    const { documents, images, truncated } = read;
    const id = newCapability();
    return {
      ...mannerOf(member, persona),
      turn: {
        id,
        conversation: thread.conversation ?? id,
        parentId: parent?.id ?? null,
        depth: parent ? parent.depth + 1 : 0,
        userId: member.id,
        userName: member.name,
        question: prompt,
        documents,
        model,
        place,
        createdAt: now(),
        tokens: tokensOf(model, documents + prompt, images),
      },
      images,
      truncated,
      goOn: false,
    };
  }

  async function chosenFor(member: Member, where: Question["where"]): Promise<Chosen> {
    const chosen = await settings.chosen(member, where);
    if (chosen.server?.off) throw switchedOff();
    return chosen;
  }

  function assertAnswerable(model: string): void {
    const refusal = pool.refusal(model);
    if (refusal) throw refusal;
  }

  /** Files as far as about half of what the model reads at once, and as there is room beside the `words` of the prompt. */
  async function readFor(
    model: string,
    words: string,
    attachments: Attachment[],
    signal: AbortSignal,
  ): Promise<ReadAttachments> {
    const { prompt } = budgetOf(contextOf(model));
    const beside = prompt - tokensOf(model, words, []);
    const room = Math.max(LEAST_TOKENS, Math.min(0.75 * prompt, beside));
    const maxCharacters = Math.min(MOST_CHARACTERS, Math.floor(room * 2));
    const rules = { maxImages: MOST_IMAGES, maxCharacters, signal };
    const read = await readFiles(attachments, rules);
    if (read.images.length > 0) await assertSees(model);
    if (sizeOf(read.images) > MOST_IMAGE_BYTES) throw tooHeavy();
    // Characters of other scripts than Latin take up to three times as many tokens.
    const share = room / counter.estimate(model, read.documents);
    if (share >= 1) return read;
    return readFiles(attachments, { ...rules, maxCharacters: Math.floor(share * maxCharacters) });
  }

  async function assertSees(model: string): Promise<void> {
    const described = await pool.describe(model);
    if (!described || described.capabilities.includes("vision")) return;
    throw new WisError("attachment.unreadable", {
      say: `The model "${model}" can't see images.`,
      hint: "Choose one that sees images with /wis model, or ask without the image.",
    });
  }

  function mannerOf(member: Member, persona: string): Pick<OpenQuestion, "member" | "persona" | "priority"> {
    const { id: ownerId, asker } = member;
    return { member, persona, priority: limits.llm({ ownerId, asker }).priority };
  }

  /** A turn that follows from an earlier one of the same asker. */
  async function following(
    turnId: string,
    by: Member,
    { place, parentChannelId }: ShownAt,
    change: (before: TurnRow) => Partial<TurnRow>,
  ): Promise<PreparedQuestion> {
    const before = await memory.turn(turnId);
    if (before.userId !== by.id) throw notYours();
    const chosen = await chosenFor(by, { ...place, parentChannelId });
    const id = newCapability();
    const { parentId, depth, userId, userName, question, documents } = { ...before, ...change(before) };
    const goOn = parentId === turnId;
    const model = settings.isAllowed(before.model) ? before.model : chosen.model;
    const images = goOn ? [] : (await turns.images([turnId])).map(({ bytes }) => bytes);
    const newest = await newestBeside(before);
    return {
      ...mannerOf(by, chosen.persona?.text ?? ""),
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

  return {
    asked,
    again: (turnId, by, at) => following(turnId, by, at, () => ({})),
    goOn: (turnId, by, at) =>
      following(turnId, by, at, ({ id, depth }) => ({
        parentId: id,
        depth: depth + 1,
        question: GO_ON,
        documents: "",
      })),
  };
}

const nothingRead: ReadAttachments = { documents: "", images: [], truncated: [] };

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
