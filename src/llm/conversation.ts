import { MESSAGE_TOKENS, turnsThatFit } from "./budget.ts";
import type { Talk } from "./llm.ts";
import type { AnswerPlace, TurnLog, TurnRow } from "./ports.ts";
import type { Asked, PromptParts } from "./prompt.ts";

/** Where a new turn hangs. */
export interface Thread {
  /** Undefined: it begins a conversation, and its own id names that. */
  conversation: string | undefined;
  parent: TurnRow | undefined;
}

/**
 * What was said before a question. A reply chain goes by the message that is replied to, so that two people who reply
 * to one answer have a conversation each; threads and direct messages go on from their newest turn, also while it is
 * being answered. What was said in another channel never counts, whatever message somebody names.
 */
export async function threadOf(
  { turns, openIn }: ThreadDeps,
  { talk, place }: { talk: Talk; place: Pick<AnswerPlace, "channelId"> },
): Promise<Thread> {
  if (talk.kind === "channel") {
    return { conversation: talk.channelId, parent: await newestIn(talk.channelId, { turns, openIn }) };
  }
  const parent = talk.replyTo === undefined ? undefined : await turns.shownBy(talk.replyTo);
  if (parent?.place.channelId !== place.channelId) return { conversation: undefined, parent: undefined };
  return { conversation: parent.conversation, parent };
}

export interface ThreadDeps {
  turns: Pick<TurnLog, "shownBy" | "latest" | "find">;
  /** The id of the newest turn of a conversation that is being answered. */
  openIn(conversation: string): string | undefined;
}

async function newestIn(channelId: string, { turns, openIn }: ThreadDeps): Promise<TurnRow | undefined> {
  const openId = openIn(channelId);
  const [said, open] = await Promise.all([
    turns.latest(channelId),
    openId === undefined ? undefined : turns.find(openId),
  ]);
  return open && open.createdAt >= (said?.createdAt ?? 0) ? open : said;
}

/** More turns than that are not read, however small they are. */
const MOST_TURNS = 200;
/** Images of so many turns before the question go along with it. */
const TURNS_WITH_IMAGES = 3;

/** A past that fits. */
export interface Past {
  /** Oldest first. */
  turns: PromptParts["past"];
  /** How many turns came before them. */
  dropped: number;
}

/**
 * The turns before a new one that fit into `room` tokens, the newest ones; and the images of the last few and of
 * the new one itself. Reads no more than that, however long the conversation is. `goOn`: the one before is there in any
 * case, if only the end of its answer.
 */
export async function readPast(
  { turns }: { turns: Pick<TurnLog, "path" | "images"> },
  { turn, room, goOn }: { turn: Pick<TurnRow, "id" | "parentId" | "depth">; room: number; goOn: boolean },
): Promise<Past & { images: Uint8Array[] }> {
  const { id, parentId, depth } = turn;
  const found =
    parentId === null || room <= 0 ? [] : await turns.path(parentId, { maxTokens: room, most: MOST_TURNS });
  const fitting = found.slice(
    0,
    turnsThatFit(
      found.map(({ tokens }) => tokens),
      room,
    ),
  );
  const [before] = found;
  if (goOn && before && fitting.length === 0) fitting.push(endOf(before, room - TURN_TOKENS));
  const seen = [id, ...fitting.slice(0, TURNS_WITH_IMAGES).map((one) => one.id)];
  const images = Map.groupBy(await turns.images(seen), ({ turnId }) => turnId);
  const imagesOf = (turnId: string) => (images.get(turnId) ?? []).map(({ bytes }) => bytes);
  const said = fitting.filter(({ text }) => text !== "").reverse();
  return {
    turns: said.map((one): Asked & { text: string } => ({ ...one, images: imagesOf(one.id) })),
    dropped: depth - fitting.length,
    images: imagesOf(id),
  };
}

/** As much of a turn as takes about `room` tokens, the end of its answer above all. */
function endOf(turn: TurnRow, room: number): TurnRow {
  const { question, documents, text, tokens } = turn;
  const length = question.length + documents.length + text.length;
  const kept = Math.max(4, Math.floor((length * room) / Math.max(tokens, room, 1)));
  const asked = question.slice(0, kept / 4);
  return { ...turn, question: asked, documents: "", text: text.slice(asked.length - kept).toWellFormed() };
}

/** What a turn takes beside its texts. */
export const TURN_TOKENS = 2 * MESSAGE_TOKENS;
