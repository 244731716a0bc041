import type { Member } from "../members/member.ts";
import type { AnswerPlace, AnswerRow, ChatUsage } from "./ports.ts";

export type AnswerEvent =
  | { type: "waiting"; position: number }
  /** It has a slot, and the host has to load the model first. */
  | { type: "loading"; model: string }
  | { type: "text"; text: string }
  | { type: "done"; model: string; usage: ChatUsage };

export interface Question {
  member: Member;
  prompt: string;
  place: AnswerPlace;
}

/** One answer on its way. */
export interface Answer {
  readonly id: string;
  /** Ends after `done`, or throws the WisError that ended it (llm.*, rate_limited, shutting_down). To be iterated once. */
  readonly events: AsyncIterable<AnswerEvent>;
  /** Says which message shows the answer now, for the next start. */
  moved(messageId: string): Promise<void>;
}

/** Asking a model, as the edges use it. */
export interface Llm {
  /** Refused at once with rate_limited, llm.queue_full or shutting_down; the slot is waited for inside `events`. */
  ask(question: Question): Promise<Answer>;
  /** Ends an answer, waiting or running; its `events` throw llm.stopped. Only its asker or a moderator may. [forbidden, not_found when it has ended] */
  stop(answerId: string, by: Member): void;
  /** What an earlier process left unfinished, for the edge to mark. */
  leftBehind(): Promise<AnswerRow[]>;
  /** The edge has marked it, or its place is gone. */
  settled(answerId: string): Promise<void>;
  /** Refuses new questions, and ends the open ones with llm.interrupted. */
  interruptAll(): void;
  /** Resolves when no answer is open. */
  idle(): Promise<void>;
  readonly model: string;
}
