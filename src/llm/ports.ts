export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  /** How long the host keeps the model loaded afterwards, milliseconds. */
  keepAlive: number;
  signal: AbortSignal;
}

/** What a host counted; absent where it did not say. Token counts and nanosecond-free milliseconds. */
export interface ChatUsage {
  inputTokens?: number;
  outputTokens?: number;
  durationMs?: number;
}

export type ChatChunk = { type: "text"; text: string } | { type: "done"; usage: ChatUsage; reason: string };

export interface HostModel {
  name: string;
  /** Bytes on disk. */
  size: number;
}

export interface LoadedModel {
  name: string;
  size: number;
  /** Bytes of `size` that sit on the GPU. */
  sizeVram: number;
}

/**
 * A server that runs models. Implemented by hosts/. Throws WisError llm.unreachable, llm.model_missing,
 * llm.host_busy, llm.cut, llm.bad_reply; rejects with the signal's reason when aborted.
 */
export interface ModelHost {
  readonly name: string;
  readonly url: string;
  chat(request: ChatRequest): AsyncIterable<ChatChunk>;
  models(signal: AbortSignal): Promise<HostModel[]>;
  loaded(signal: AbortSignal): Promise<LoadedModel[]>;
  /** The host's own version string; resolves only when it is reachable. */
  version(signal: AbortSignal): Promise<string>;
}

/** interrupted: wisbot ended while it was being written. */
export type AnswerState = "queued" | "answering" | "done" | "stopped" | "failed" | "interrupted";

/** Where an answer is being shown, so that the next start can mark it. */
export interface AnswerPlace {
  guildId: string | null;
  channelId: string;
  /** The message that is being written now; null until Discord named it. */
  messageId: string | null;
  applicationId: string;
  interactionToken: string;
  /** Milliseconds since the epoch. */
  interactionAt: number;
}

export interface AnswerRow {
  /** 22 characters; also names the answer in its Stop button. */
  id: string;
  userId: string;
  state: AnswerState;
  model: string;
  place: AnswerPlace;
  createdAt: number;
  endedAt: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  /** WisError code of a failed answer. */
  errorCode: string | null;
}

/** Answers as rows, content left out. Implemented by store/. */
export interface AnswerLog {
  insert(row: Pick<AnswerRow, "id" | "userId" | "model" | "place" | "createdAt">): Promise<void>;
  answering(id: string): Promise<void>;
  /** Says which message shows the answer now. */
  moved(id: string, messageId: string): Promise<void>;
  end(
    id: string,
    outcome: {
      state: "done" | "stopped" | "failed" | "interrupted";
      endedAt: number;
      usage?: ChatUsage;
      errorCode?: string;
    },
  ): Promise<void>;
  /** Rows still queued or answering: right after a start, what the last process left behind. */
  unfinished(): Promise<AnswerRow[]>;
  /** Drops ended rows older than `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}
