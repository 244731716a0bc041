export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
  /** Whole files (PNG, JPEG, WebP), for models that see. */
  images?: Uint8Array[];
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  /** How long the host keeps the model loaded afterwards, milliseconds. */
  keepAlive: number;
  /** Tokens that question, history and answer may take together; undefined leaves it to the host. */
  context?: number | undefined;
  signal: AbortSignal;
}

/** What a host counted; absent where it did not say. Token counts, and milliseconds. */
export interface ChatUsage {
  inputTokens?: number;
  outputTokens?: number;
  durationMs?: number;
}

/** `thinking`: what a model says to itself before it answers. `reason`: `stop`, `length`, or the host's own word. */
export type ChatChunk =
  | { type: "text"; text: string }
  | { type: "thinking"; text: string }
  | { type: "done"; usage: ChatUsage; reason: string };

export interface HostModel {
  name: string;
  /** Bytes on disk; 0 where the host does not say. */
  size: number;
}

export interface LoadedModel {
  name: string;
  size: number;
  /** Bytes of `size` that sit on the GPU. */
  sizeVram: number;
  /** Tokens that it was loaded for; undefined where the host does not say. */
  context?: number | undefined;
}

export type Capability = "vision" | "tools" | "thinking";

/** What a host tells about a model that it holds. */
export interface ModelDescription {
  capabilities: Capability[];
  /** Tokens that it takes unless it is told otherwise; undefined where the host does not say. */
  context: number | undefined;
  /** The most tokens that it was made for; undefined where the host does not say. */
  maxContext: number | undefined;
}

/** How far fetching a model is, in bytes of the part that is being fetched. */
export interface PullProgress {
  /** The host's own words: "pulling manifest", "verifying sha256 digest". */
  status: string;
  completed: number;
  /** 0 while nobody knows. */
  total: number;
}

/**
 * A server that runs models. Implemented by hosts/. Throws WisError llm.unreachable, llm.model_missing,
 * llm.host_busy, llm.cut, llm.bad_reply, and bad_request for a question that it can't take; rejects with the signal's reason when aborted.
 */
export interface ModelHost {
  readonly kind: "ollama" | "openai";
  readonly name: string;
  readonly url: string;
  chat(request: ChatRequest): AsyncIterable<ChatChunk>;
  models(signal: AbortSignal): Promise<HostModel[]>;
  /** What is in memory; where a host does not say, everything that it holds. */
  loaded(signal: AbortSignal): Promise<LoadedModel[]>;
  /** [llm.model_missing] */
  describe(model: string, signal: AbortSignal): Promise<ModelDescription>;
  /** Fetches a model; undefined: this kind of host can't. Ends when it is there. [llm.pull_failed] */
  readonly pull: ((model: string, signal: AbortSignal) => AsyncIterable<PullProgress>) | undefined;
  /** The host's own version string; resolves only when it is reachable. */
  version(signal: AbortSignal): Promise<string>;
}

/** How a host does. */
export interface HostHealth {
  name: string;
  state: "ok" | "resting" | "unknown";
  /** One sentence for people, such as "3 models, llama3.2 loaded". No secrets, no addresses. */
  detail: string;
  active: number;
  slots: number;
}

/** interrupted: wisbot ended while it was being written. */
export type TurnState = "queued" | "answering" | "done" | "stopped" | "failed" | "interrupted";

/** Where an answer is being shown, so that the next start can mark it. */
export interface AnswerPlace {
  guildId: string | null;
  channelId: string;
  /** The message that is being written now; null until Discord named it. */
  messageId: string | null;
  applicationId: string;
  /** Null for an answer to a message: it is the bot's own from the start. */
  interactionToken: string | null;
  /** Milliseconds since the epoch. */
  interactionAt: number;
}

/** One question and what was answered to it. A conversation is a chain of them, by `parentId`. */
export interface TurnRow {
  /** 22 characters; also names the turn in its buttons. */
  id: string;
  /** The same for all turns of one reply chain (the id of its first), thread or direct messages (their channel's id). */
  conversation: string;
  parentId: string | null;
  /** How many turns come before it. */
  depth: number;
  userId: string;
  /** As the server showed the asker; for the model to tell people apart. */
  userName: string;
  question: string;
  /** What was read from the question's attachments, ready for the prompt; empty for none. */
  documents: string;
  /** The answer, as far as it came; empty until it ended. */
  text: string;
  thinking: string;
  model: string;
  state: TurnState;
  place: AnswerPlace;
  createdAt: number;
  endedAt: number | null;
  /** What question, documents and answer take in a later prompt, about. */
  tokens: number;
  /** WisError code of a failed answer. */
  errorCode: string | null;
  /** The asker's: 1, -1, or 0 for none. */
  vote: number;
}

export interface TurnEnd {
  state: "done" | "stopped" | "failed" | "interrupted";
  endedAt: number;
  text: string;
  thinking: string;
  tokens: number;
  errorCode?: string;
}

/** An image that came with a question. */
export interface TurnImage {
  turnId: string;
  bytes: Uint8Array;
}

/** What erasing somebody took away. */
export interface ForgottenTurns {
  turns: number;
  attempts: number;
  choices: number;
}

/** Turns as rows: the memory of conversations. Implemented by store/. */
export interface TurnLog {
  /** Whole as given; images in their order. */
  insert(
    row: Omit<TurnRow, "state" | "text" | "thinking" | "endedAt" | "errorCode" | "vote">,
    images: readonly Uint8Array[],
  ): Promise<void>;
  answering(id: string, model: string): Promise<void>;
  /** Says which message shows the answer now; every message that ever did leads back to the turn. */
  moved(id: string, messageId: string): Promise<void>;
  /** The first end is the end: gives whose question that was, and undefined where it had ended before. */
  end(id: string, end: TurnEnd): Promise<Pick<TurnRow, "userId" | "createdAt"> | undefined>;
  /** Rows still queued or answering: right after a start, what the last process left behind. */
  unfinished(): Promise<TurnRow[]>;
  find(id: string): Promise<TurnRow | undefined>;
  /** The turn that this message shows, or a part of it. */
  shownBy(messageId: string): Promise<TurnRow | undefined>;
  /** The newest turn of a thread or of direct messages that ended with something said. */
  latest(conversation: string): Promise<TurnRow | undefined>;
  /**
   * `id` and the turns before it, newest first: as many as take `maxTokens` together (the first one always), at most
   * `most`. Reads no more rows than it gives. Ends where a turn was erased.
   */
  path(id: string, bounds: { maxTokens: number; most: number }): Promise<TurnRow[]>;
  /** Of these turns, in their order. */
  images(turnIds: readonly string[]): Promise<TurnImage[]>;
  /** Says what its asker thinks of it, in the row and in its attempts. False: there is no such turn of theirs. */
  vote(id: string, userId: string, vote: number): Promise<boolean>;
  /** Removes one member's turns that are shown in a channel, thread or direct messages and have ended; gives how many. */
  clear(channelId: string, userId: string): Promise<number>;
  /** Everything of one member, oldest first, page by page, so that no export holds the database. */
  of(userId: string): AsyncIterable<TurnRow>;
  /** Erases one member's turns, images, attempts and choices so that no page of the file holds them any more. */
  forget(userId: string): Promise<ForgottenTurns>;
  /** Drops ended turns older than `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** One try to have a question answered by a host. */
export interface AttemptRow {
  id: string;
  turnId: string;
  userId: string;
  guildId: string | null;
  channelId: string;
  model: string;
  host: string;
  createdAt: number;
  /** Null while it runs. */
  endedAt: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  /** Milliseconds: waiting for a slot; from the request to the first token; from the request to the last. */
  queueMs: number;
  firstTokenMs: number | null;
  durationMs: number | null;
  /** `ok`, or the code of the WisError that ended it; null while it runs. */
  outcome: string | null;
  traceId: string;
  vote: number;
  /** Null unless `llm.keep_content` is on. */
  question: string | null;
  answer: string | null;
}

/** The place of an attempt in the history: its moment, and its own number among those of that millisecond. */
export interface AttemptCursor {
  createdAt: number;
  number: number;
}

export type ListedAttempt = AttemptRow & AttemptCursor;

/** How often people liked what a model said. */
export interface ModelVotes {
  model: string;
  up: number;
  down: number;
  answers: number;
}

/** The inference history: a row for every attempt, failures too. Implemented by store/. */
export interface AttemptLog {
  begin(
    row: Pick<
      AttemptRow,
      | "id"
      | "turnId"
      | "userId"
      | "guildId"
      | "channelId"
      | "model"
      | "host"
      | "createdAt"
      | "queueMs"
      | "traceId"
      | "question"
    >,
  ): Promise<void>;
  end(
    id: string,
    end: Pick<
      AttemptRow,
      "endedAt" | "inputTokens" | "outputTokens" | "firstTokenMs" | "durationMs" | "outcome" | "answer"
    >,
  ): Promise<void>;
  /** Newest first. `before`: only what comes after that place, to turn pages; its attempt may be gone. */
  list(input: {
    userId?: string;
    guildId?: string;
    before?: AttemptCursor;
    limit: number;
  }): Promise<ListedAttempt[]>;
  /** Everything of one member, oldest first, page by page, so that no export holds the database. */
  of(userId: string): AsyncIterable<AttemptRow>;
  /** Of what was answered in a server; null: in direct messages; undefined: everywhere. */
  votes(guildId?: string | null): Promise<ModelVotes[]>;
  /** What a process left running when it was killed; gives how many. Only at a start. */
  closeAbandoned(now: number): Promise<number>;
  drop(before: number, limit: number): Promise<number>;
}

/** How much somebody may ask for in one window of time; undefined: any number. */
export interface Allowance {
  requests: number | undefined;
  tokens: number | undefined;
  /** Milliseconds of a host's time. */
  gpuMs: number | undefined;
}

export interface Used {
  requests: number;
  tokens: number;
  gpuMs: number;
}

/** What members have used in the current window. `who` is a keyed hash: see usage.ts. Implemented by store/. */
export interface UsageLog {
  /** Counts a request if everything used is below the allowance, in one statement; gives what is used, and whether it was counted. */
  take(who: string, since: number, allowance: Allowance): Promise<{ taken: boolean; used: Used }>;
  /** Counts what it took. `requests` may be -1, for one that came to nothing. */
  add(who: string, since: number, used: Used): Promise<void>;
  used(who: string, since: number): Promise<Used>;
  /** Drops windows that began before `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** What was chosen for a channel or a server; a server's row has the server's id in both. */
export interface PlaceRow {
  placeId: string;
  guildId: string;
  model: string | null;
  /** No questions are taken. Of a server only. */
  off: boolean;
  /** Every question opens a thread. Of a channel only. */
  threads: boolean;
  /** Every message is a question (needs discord.message_content). Of a channel only. */
  freeResponse: boolean;
}

export interface PersonaRow {
  placeId: string;
  guildId: string;
  /** 1 first. */
  version: number;
  /** Empty: the default again. */
  text: string;
  /** Null once its author was forgotten. */
  authorId: string | null;
  createdAt: number;
}

/** What members, channels and servers have chosen. Implemented by store/. */
export interface LlmChoices {
  modelOf(userId: string): Promise<string | null>;
  setModelOf(userId: string, model: string | null): Promise<void>;
  /** Those of `placeIds` that have a row. */
  places(placeIds: readonly string[]): Promise<PlaceRow[]>;
  setPlace(
    place: Pick<PlaceRow, "placeId" | "guildId">,
    change: Partial<Omit<PlaceRow, "placeId" | "guildId">>,
  ): Promise<void>;
  /** The newest version of each of `placeIds` that has one. */
  personas(placeIds: readonly string[]): Promise<PersonaRow[]>;
  /** Newest first. */
  personaVersions(placeId: string, limit: number): Promise<PersonaRow[]>;
  /** Every version that somebody wrote. */
  personasBy(userId: string): Promise<PersonaRow[]>;
  /** Gives its version. */
  addPersona(row: Omit<PersonaRow, "version">): Promise<number>;
}
