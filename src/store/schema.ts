import { type SQL, sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Announcement, Origin } from "../announce/ports.ts";
import type { FileState, Tombstone } from "../files/ports.ts";
import type { AnswerPlace, AnswerState } from "../llm/ports.ts";

// Changing anything here takes `bun run migration` and a fixture beside the others: see migrations.test.ts.
// Times are milliseconds since the epoch, sizes bytes.

const fileStates = ["pending", "uploading", "ready", "deleting"] as const satisfies FileState[];
const outcomes = ["used", "expired"] as const satisfies Tombstone["outcome"][];
const kinds = ["upload.finished"] as const satisfies Announcement["kind"][];
const answerStates = [
  "queued",
  "answering",
  "done",
  "stopped",
  "failed",
  "interrupted",
] as const satisfies AnswerState[];

/** One row, one blob. */
export const files = sqliteTable(
  "files",
  {
    id: text("id").primaryKey(),
    /** SHA-256 of the ticket in hex: a stolen database opens no link. Null for a file that came without one. */
    ticketHash: text("ticket_hash"),
    ownerId: text("owner_id").notNull(),
    state: text("state", { enum: fileStates }).notNull(),
    name: text("name"),
    size: integer("size").notNull(),
    contentType: text("content_type"),
    sha256: text("sha256"),
    origin: text("origin", { mode: "json" }).$type<Origin>(),
    createdAt: integer("created_at").notNull(),
    linkExpiresAt: integer("link_expires_at"),
    readyAt: integer("ready_at"),
    expiresAt: integer("expires_at"),
    /** When its sender last said that the upload goes on. */
    aliveAt: integer("alive_at"),
  },
  (file) => [
    uniqueIndex("files_ticket").on(file.ticketHash),
    index("files_newest").on(file.createdAt, file.id),
    // Also answers what an owner has, without a look at the rows. Not the state: each change of it would rewrite a
    // page of this index too, which made a clean-up among a million rows take half as long again.
    index("files_owner").on(file.ownerId, file.createdAt, file.id, file.size),
    // Partial: a scan for what is due costs by what it finds, however many rows are kept.
    index("files_expiry").on(file.expiresAt).where(is(file.state, "ready")),
    index("files_link_expiry").on(file.linkExpiresAt).where(is(file.state, "pending")),
    index("files_uploading").on(file.createdAt, file.id).where(is(file.state, "uploading")),
    index("files_deleting").on(file.createdAt, file.id).where(is(file.state, "deleting")),
    check("files_state", oneOf(file.state, fileStates)),
    check("files_size", sql`typeof(${file.size}) = 'integer' and ${file.size} >= 0`),
    check("files_origin", sql`${file.origin} is null or json_valid(${file.origin})`),
    check(
      "files_pending",
      sql`${file.state} <> 'pending' or (${file.ticketHash} is not null and ${file.linkExpiresAt} is not null and ${file.size} = 0)`,
    ),
    check(
      "files_uploading",
      sql`${file.state} <> 'uploading' or (${file.name} is not null and ${file.aliveAt} is not null)`,
    ),
    check(
      "files_ready",
      sql`${file.state} <> 'ready' or (${file.name} is not null and ${file.contentType} is not null and ${file.sha256} is not null and length(${file.sha256}) = 64 and ${file.readyAt} is not null and ${file.expiresAt} is not null)`,
    ),
  ],
);

/** What became of tickets whose row is gone. */
export const tombstones = sqliteTable(
  "tombstones",
  {
    ticketHash: text("ticket_hash").primaryKey(),
    outcome: text("outcome", { enum: outcomes }).notNull(),
    /** No foreign key: it outlives the file. */
    fileId: text("file_id").notNull(),
    at: integer("at").notNull(),
  },
  (tombstone) => [
    index("tombstones_at").on(tombstone.at),
    check("tombstones_outcome", oneOf(tombstone.outcome, outcomes)),
  ],
);

/** Messages owed to people. Nothing is owed any more for a file that is gone. */
export const announcements = sqliteTable(
  "announcements",
  {
    id: text("id").primaryKey(),
    kind: text("kind", { enum: kinds }).notNull(),
    fileId: text("file_id")
      .notNull()
      .references(() => files.id, { onDelete: "cascade" }),
    ownerId: text("owner_id").notNull(),
    origin: text("origin", { mode: "json" }).$type<Origin>(),
    createdAt: integer("created_at").notNull(),
    attempts: integer("attempts").notNull(),
    dueAt: integer("due_at").notNull(),
    /** When it was given up. */
    failedAt: integer("failed_at"),
  },
  (announcement) => [
    index("announcements_file").on(announcement.fileId),
    index("announcements_due").on(announcement.dueAt).where(sql`${announcement.failedAt} is null`),
    index("announcements_failed").on(announcement.failedAt).where(sql`${announcement.failedAt} is not null`),
    check("announcements_attempts", sql`${announcement.attempts} >= 0`),
    check("announcements_origin", sql`${announcement.origin} is null or json_valid(${announcement.origin})`),
  ],
);

/** Answers of the LLM, content left out. */
export const answers = sqliteTable(
  "answers",
  {
    id: text("id").primaryKey(),
    userId: text("user_id").notNull(),
    state: text("state", { enum: answerStates }).notNull(),
    model: text("model").notNull(),
    place: text("place", { mode: "json" }).$type<AnswerPlace>().notNull(),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
    inputTokens: integer("input_tokens"),
    outputTokens: integer("output_tokens"),
    errorCode: text("error_code"),
  },
  (answer) => [
    index("answers_unfinished").on(answer.createdAt).where(sql`${answer.endedAt} is null`),
    index("answers_ended").on(answer.endedAt).where(sql`${answer.endedAt} is not null`),
    check("answers_state", oneOf(answer.state, answerStates)),
    check("answers_ended", sql`(${answer.endedAt} is null) = (${answer.state} in ('queued', 'answering'))`),
    check("answers_place", sql`json_valid(${answer.place})`),
  ],
);

/**
 * `column = 'word'` with the word in the text: SQLite uses a partial index only where the query repeats its condition,
 * and a bound parameter does not.
 */
export function is<Word extends string>(
  column: AnySQLiteColumn<{ data: Word; enumValues: [Word, ...Word[]] | Word[] }>,
  word: NoInfer<Word>,
): SQL {
  return sql`${column} = ${quoted(word)}`;
}

/** `column in ('one', 'other')`, for the same reason. */
export function oneOf(column: AnySQLiteColumn, words: readonly string[]): SQL {
  return sql`${column} in (${sql.join(words.map(quoted), sql`, `)})`;
}

function quoted(word: string): SQL {
  if (!/^[a-z.]+$/.test(word)) throw new Error(`not a word of the schema: ${word}`);
  return sql.raw(`'${word}'`);
}
