import { type SQL, sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  blob,
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";
import type { AnswerPlace, TurnState } from "../../llm/ports.ts";
import { oneOf } from "./conditions.ts";

const turnStates = [
  "queued",
  "answering",
  "done",
  "stopped",
  "failed",
  "interrupted",
] as const satisfies TurnState[];

/** The channel that a turn is shown in. */
export const shownIn = ({ place }: Record<"place", AnySQLiteColumn>): SQL => sql`${place} ->> '$.channelId'`;

/** What was asked and what was answered: conversations are chains of them, by `parentId`. */
export const turns = sqliteTable(
  "turns",
  {
    // The texts come last: SQLite reads a row only as far as it is asked, and a walk up a chain asks for its head.
    id: text("id").primaryKey(),
    conversation: text("conversation").notNull(),
    /** No foreign key: it may be erased before its children. */
    parentId: text("parent_id"),
    depth: integer("depth").notNull(),
    tokens: integer("tokens").notNull(),
    userId: text("user_id").notNull(),
    userName: text("user_name").notNull(),
    model: text("model").notNull(),
    state: text("state", { enum: turnStates }).notNull(),
    place: text("place", { mode: "json" }).$type<AnswerPlace>().notNull(),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
    errorCode: text("error_code"),
    vote: integer("vote").notNull().default(0),
    question: text("question").notNull(),
    documents: text("documents").notNull(),
    /** Empty until it ended. */
    text: text("text").notNull().default(""),
    thinking: text("thinking").notNull().default(""),
  },
  (turn) => [
    index("turns_unfinished").on(turn.createdAt).where(sql`${turn.endedAt} is null`),
    index("turns_ended").on(turn.endedAt).where(sql`${turn.endedAt} is not null`),
    // Partial: however often a host failed in a thread, what was said last is one step away.
    index("turns_said").on(turn.conversation, turn.createdAt, turn.id).where(sql`${turn.text} <> ''`),
    index("turns_channel").on(turn.userId, shownIn(turn)),
    index("turns_user").on(turn.userId, turn.createdAt, turn.id),
    check("turns_state", oneOf(turn.state, turnStates)),
    check("turns_ended", sql`(${turn.endedAt} is null) = (${turn.state} in ('queued', 'answering'))`),
    check("turns_place", sql`json_valid(${turn.place})`),
    check("turns_numbers", sql`${turn.depth} >= 0 and ${turn.tokens} >= 0 and ${turn.vote} in (-1, 0, 1)`),
  ],
);

/** Messages that show a turn, or have shown a part of it: a reply to one goes on from there. */
export const turnMessages = sqliteTable(
  "turn_messages",
  {
    messageId: text("message_id").primaryKey(),
    turnId: text("turn_id")
      .notNull()
      .references(() => turns.id, { onDelete: "cascade" }),
  },
  (message) => [index("turn_messages_turn").on(message.turnId)],
);

/** Images that came with a question, 0 first. */
export const turnImages = sqliteTable(
  "turn_images",
  {
    turnId: text("turn_id")
      .notNull()
      .references(() => turns.id, { onDelete: "cascade" }),
    position: integer("position").notNull(),
    bytes: blob("bytes", { mode: "buffer" }).notNull(),
  },
  (image) => [primaryKey({ columns: [image.turnId, image.position] })],
);

/** The inference history: every try to have a question answered by a host. */
export const attempts = sqliteTable(
  "attempts",
  {
    id: text("id").primaryKey(),
    /** No foreign key: it outlives the turn. */
    turnId: text("turn_id").notNull(),
    userId: text("user_id").notNull(),
    guildId: text("guild_id"),
    channelId: text("channel_id").notNull(),
    model: text("model").notNull(),
    host: text("host").notNull(),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
    inputTokens: integer("input_tokens"),
    outputTokens: integer("output_tokens"),
    queueMs: integer("queue_ms").notNull(),
    firstTokenMs: integer("first_token_ms"),
    durationMs: integer("duration_ms"),
    outcome: text("outcome"),
    traceId: text("trace_id").notNull(),
    vote: integer("vote").notNull().default(0),
    question: text("question"),
    answer: text("answer"),
  },
  (attempt) => [
    index("attempts_turn").on(attempt.turnId),
    index("attempts_user").on(attempt.userId, attempt.createdAt),
    index("attempts_guild").on(attempt.guildId, attempt.createdAt),
    index("attempts_newest").on(attempt.createdAt),
    index("attempts_running").on(attempt.id).where(sql`${attempt.endedAt} is null`),
    // Counts votes without a look at the rows.
    index("attempts_votes")
      .on(attempt.guildId, attempt.model, attempt.vote)
      .where(sql`${attempt.outcome} = 'ok'`),
    check("attempts_ended", sql`(${attempt.endedAt} is null) = (${attempt.outcome} is null)`),
    check("attempts_vote", sql`${attempt.vote} in (-1, 0, 1)`),
  ],
);

/** What was used of the LLM in one window of time. */
export const llmUsage = sqliteTable(
  "llm_usage",
  {
    /** A keyed hash: see llm/usage.ts. */
    who: text("who").notNull(),
    /** When the window began. */
    since: integer("since").notNull(),
    requests: integer("requests").notNull(),
    tokens: integer("tokens").notNull(),
    /** Milliseconds of a host's time. */
    gpuMs: integer("gpu_ms").notNull(),
  },
  (used) => [
    primaryKey({ columns: [used.who, used.since] }),
    index("llm_usage_since").on(used.since),
    check("llm_usage_numbers", sql`${used.requests} >= 0 and ${used.tokens} >= 0 and ${used.gpuMs} >= 0`),
  ],
);

/** What was chosen for channels and servers. No row: everything as it comes. */
export const places = sqliteTable("places", {
  /** A channel's or a server's. */
  placeId: text("place_id").primaryKey(),
  guildId: text("guild_id").notNull(),
  model: text("model"),
  off: integer("off", { mode: "boolean" }).notNull().default(false),
  threads: integer("threads", { mode: "boolean" }).notNull().default(false),
  freeResponse: integer("free_response", { mode: "boolean" }).notNull().default(false),
});

/** Every persona that a channel or a server ever had. */
export const personas = sqliteTable(
  "personas",
  {
    placeId: text("place_id").notNull(),
    guildId: text("guild_id").notNull(),
    /** 1 first. */
    version: integer("version").notNull(),
    text: text("text").notNull(),
    /** Null once its author was forgotten. */
    authorId: text("author_id"),
    createdAt: integer("created_at").notNull(),
  },
  (persona) => [
    primaryKey({ columns: [persona.placeId, persona.version] }),
    index("personas_author").on(persona.authorId).where(sql`${persona.authorId} is not null`),
    check("personas_version", sql`${persona.version} >= 1`),
  ],
);
