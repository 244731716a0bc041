import type { Member } from "../members/member.ts";
import type {
  AnswerPlace,
  AttemptCursor,
  Capability,
  ChatUsage,
  ForgottenTurns,
  HostHealth,
  ListedAttempt,
  ModelVotes,
  PersonaRow,
  PlaceRow,
  TurnRow,
  Used,
} from "./ports.ts";

export type AnswerEvent =
  /** `seconds`: about how long it may take; undefined while nothing tells. */
  | { type: "waiting"; position: number; seconds: number | undefined }
  /** It has a slot, and the host has to load the model first. */
  | { type: "loading"; model: string }
  /** It thinks, and has not begun to answer. */
  | { type: "thinking" }
  | { type: "text"; text: string }
  | { type: "done"; model: string; facts: AnswerFacts };

/** What an answer took, for its footer. Absent or undefined: not known. */
export interface AnswerFacts {
  usage: ChatUsage;
  /** Tokens that question, history and answer may take together. */
  context: number | undefined;
  /** Turns that were left out of the prompt, because it would have been too long. */
  dropped: number;
  /** What was read from attachments only in part, in words; empty for nothing. */
  truncated: string[];
  /** Milliseconds in the queue. */
  waitedMs: number;
  /** Whether its end was cut off at the model's limit, so that going on makes sense. */
  cutOff: boolean;
  hasThinking: boolean;
}

/** What came with a question. */
export interface Attachment {
  name: string;
  contentType: string | undefined;
  bytes: Uint8Array;
}

/** Where a question belongs. */
export type Talk =
  /** A reply to what that message shows; without one, a new conversation. */
  | { kind: "chain"; replyTo?: string | undefined }
  /** A thread or direct messages: everything said there so far belongs to it. */
  | { kind: "channel"; channelId: string };

/** Where an answer will stand, and where its question belongs. */
export interface Spot {
  place: AnswerPlace;
  talk: Talk;
}

export interface Question {
  member: Member;
  prompt: string;
  /** Where it was asked: what was chosen there holds for it. */
  where: Where;
  model?: string | undefined;
  /** Fetches what came with it, once the question is counted. Undefined: nothing came with it. */
  attachments?: ((signal: AbortSignal) => Promise<Attachment[]>) | undefined;
  /** Makes the place for the answer, such as a thread: called last, so that nobody gets one for a question that is refused. */
  spot(): Promise<Spot>;
}

/** One answer on its way. */
export interface Answer {
  /** The turn's. */
  readonly id: string;
  readonly model: string;
  /** What is being answered, as its asker wrote it. */
  readonly question: string;
  /** Ends after `done`, or throws the WisError that ended it (llm.*, rate_limited, quota.llm, shutting_down). To be iterated once. */
  readonly events: AsyncIterable<AnswerEvent>;
  /** Says which message shows the answer now: for the next start, and for replies to it. */
  moved(messageId: string): Promise<void>;
}

/** Where a further answer is to be shown. */
export interface ShownAt {
  place: AnswerPlace;
  /** Of a thread: the channel under which it hangs. */
  parentChannelId?: string | undefined;
}

/** Where somebody is, for what was chosen there. */
export interface Where {
  guildId: string | null;
  channelId: string;
  /** Of a thread: the channel under which it hangs. */
  parentChannelId?: string | undefined;
}

/** A model that can be asked here. */
export interface ModelView {
  name: string;
  /** Bytes on disk; 0: not known. */
  size: number;
  /** Undefined: not asked yet. */
  capabilities: Capability[] | undefined;
  context: number | undefined;
  hosts: string[];
  /** In a host's memory: it answers at once. */
  warm: boolean;
}

export type ChoiceScope = "me" | "channel" | "server";

/** How far fetching a model is. `share`: 0 to 1; undefined while nobody knows. */
export interface Pull {
  model: string;
  host: string;
  state: "running" | "done" | "failed";
  status: string;
  share: number | undefined;
  /** Of a failed one. [llm.pull_failed, disk.full] */
  error: unknown;
}

export interface Allowed {
  used: Used;
  /** Undefined: as much as one likes. */
  allowance: Partial<Used>;
  /** When counting starts anew, milliseconds since the epoch. */
  resetsAt: number;
}

/** Asking a model, as the edges use it. */
export interface Llm {
  /**
   * Refused with rate_limited, quota.llm, llm.queue_full, llm.off, llm.model_missing, llm.model_refused,
   * attachment.unreadable, bad_request (it is too long), llm.stopped (its asker was forgotten meanwhile), shutting_down,
   * and with what `attachments` and `spot` throw; the slot is waited for inside `events`.
   */
  ask(question: Question): Promise<Answer>;
  /** The same question once more; its answer stands beside the first. Its asker's alone. [not_found, forbidden] */
  regenerate(turnId: string, by: Member, at: ShownAt): Promise<Answer>;
  /** Goes on where an answer was cut off. Its asker's alone. [not_found, forbidden] */
  carryOn(turnId: string, by: Member, at: ShownAt): Promise<Answer>;
  /** Ends an answer, waiting or running; its `events` throw llm.stopped. Only its asker or a moderator may. [forbidden, not_found when it has ended] */
  stop(turnId: string, by: Member): void;
  /** The question was taken back: its answer ends as if it had been stopped. Nothing happens where none runs. */
  withdraw(turnId: string): void;
  /** What stands in a turn, for who asked; `thinking` and `text` for anybody who can see the message. [not_found] */
  turn(turnId: string): Promise<TurnRow>;
  /** Says what its asker thinks of an answer: 1, -1, or 0 to take it back. [not_found, forbidden] */
  vote(turnId: string, by: Member, vote: number): Promise<void>;
  /** What an earlier process left unfinished, for the edge to mark. */
  leftBehind(): Promise<TurnRow[]>;
  /** The edge has marked it, or its place is gone. It no longer counts against its asker's quota. */
  settled(turnId: string): Promise<void>;
  /** Refuses new questions, and ends the open ones with llm.interrupted. */
  interruptAll(): void;
  /** Resolves when no answer is open. */
  idle(): Promise<void>;
  /** What is asked there when nobody says otherwise: as far as memory tells, without waiting. */
  readonly model: string;

  /** What may be asked, warm ones first, then by name. Hosts that don't answer in time are left out. */
  models(): Promise<ModelView[]>;
  /** What would be asked there, and who chose it. */
  modelFor(member: Member, where: Where): Promise<{ model: string; chosenBy: ChoiceScope | "config" }>;
  /** Channel and server: moderators only. Null takes the choice back. [llm.model_refused, llm.model_missing, forbidden] */
  chooseModel(input: { by: Member; where: Where; scope: ChoiceScope; model: string | null }): Promise<void>;
  /** Fetches a model to a host; the same one is fetched once. [forbidden, llm.off, disk.full] */
  pull(model: string, by: Member): Promise<Pull>;
  /** Every change of a fetch, ending with its end; for any number of listeners, at any time. [not_found] */
  pulling(model: string): AsyncIterable<Pull>;

  /** Settings of a channel or a server. */
  place(where: Where): Promise<{ channel: PlaceRow | undefined; server: PlaceRow | undefined }>;
  /** Moderators only. [forbidden] */
  setPlace(input: {
    by: Member;
    where: Where;
    scope: "channel" | "server";
    change: Partial<Pick<PlaceRow, "off" | "threads" | "freeResponse">>;
  }): Promise<void>;
  /** The persona that answers there; undefined: the default. */
  persona(where: Where): Promise<PersonaRow | undefined>;
  /** Moderators only; an empty text is the default again. Gives its version. [forbidden, bad_request] */
  setPersona(input: { by: Member; where: Where; scope: "channel" | "server"; text: string }): Promise<number>;
  personaVersions(where: Where, scope: "channel" | "server", limit: number): Promise<PersonaRow[]>;

  /** What one asked there, and was answered, is no longer known. Gives how many turns went. */
  clear(by: Member, talk: Extract<Talk, { kind: "channel" }>): Promise<number>;
  /** Erases everything that is known of somebody here. Running answers of theirs end. */
  forget(userId: string): Promise<ForgottenTurns>;
  /** Everything that is known of somebody here, as one JSON document in pieces. */
  exportOf(userId: string): AsyncIterable<string>;
  /** Newest first; `before` is the last of the page before. */
  history(input: {
    userId?: string;
    guildId?: string;
    before?: AttemptCursor;
    limit: number;
  }): Promise<ListedAttempt[]>;
  /** Of what was answered in a server; null: in direct messages; undefined: everywhere. */
  votes(guildId?: string | null): Promise<ModelVotes[]>;
  allowed(member: Member): Promise<Allowed>;
  status(): { hosts: HostHealth[]; waiting: number; active: number };
}
