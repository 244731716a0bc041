import { WisError } from "../errors.ts";
import type { Llm } from "./llm.ts";
import type { AttemptLog, ForgottenTurns, LlmChoices, TurnLog } from "./ports.ts";

export interface MemoryDeps {
  turns: Pick<TurnLog, "find" | "vote" | "clear" | "forget" | "of" | "images">;
  attempts: Pick<AttemptLog, "list" | "of" | "votes">;
  choices: Pick<LlmChoices, "modelOf" | "personasBy">;
}

/** The part of the Llm port that is about what is remembered. */
export type Memory = Pick<Llm, "turn" | "vote" | "clear" | "exportOf" | "history" | "votes"> & {
  forget: TurnLog["forget"];
  /** What `forget` would take away. */
  known(userId: string): Promise<ForgottenTurns>;
};

export function createMemory({ turns, attempts, choices }: MemoryDeps): Memory {
  return {
    async turn(turnId) {
      const turn = await turns.find(turnId);
      if (!turn) throw unknownTurn();
      return turn;
    },
    async vote(turnId, by, vote) {
      if (await turns.vote(turnId, by.id, Math.sign(vote))) return;
      if (!(await turns.find(turnId))) throw unknownTurn();
      throw new WisError("forbidden", { say: "Only the person who asked may rate the answer." });
    },
    clear: (by, { channelId }) => turns.clear(channelId, by.id),
    forget: (userId) => turns.forget(userId),
    known: async (userId) => ({
      turns: await lengthOf(turns.of(userId)),
      attempts: await lengthOf(attempts.of(userId)),
      choices: (await choices.modelOf(userId)) === null ? 0 : 1,
    }),
    async *exportOf(userId) {
      yield `{"user":${JSON.stringify(userId)},"model":${JSON.stringify(await choices.modelOf(userId))},"turns":[`;
      yield* jsonItems(turnsOf(turns, userId));
      yield `],"history":[`;
      yield* jsonItems(attempts.of(userId));
      yield `],"personas":${JSON.stringify(await choices.personasBy(userId))}}\n`;
    },
    history: (input) => attempts.list(input),
    votes: (guildId) => attempts.votes(guildId),
  };
}

/** As their asker may have them: without what lets Discord's message be edited, with the images. */
async function* turnsOf(turns: MemoryDeps["turns"], userId: string) {
  for await (const { place, ...turn } of turns.of(userId)) {
    const { guildId, channelId, messageId } = place;
    const images = (await turns.images([turn.id])).map(({ bytes }) => Buffer.from(bytes).toString("base64"));
    yield { ...turn, place: { guildId, channelId, messageId }, images };
  }
}

async function lengthOf(items: AsyncIterable<object>): Promise<number> {
  let length = 0;
  for await (const _ of items) length += 1;
  return length;
}

async function* jsonItems(items: AsyncIterable<object>): AsyncGenerator<string> {
  let isFirst = true;
  for await (const item of items) {
    yield `${isFirst ? "" : ","}\n${JSON.stringify(item)}`;
    isFirst = false;
  }
}

export function unknownTurn(): WisError {
  return new WisError("not_found", {
    say: "That answer is no longer known: it was erased, or is too old.",
    hint: "Ask again.",
  });
}
