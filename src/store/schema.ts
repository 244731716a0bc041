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
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Announcement, Origin } from "../announce/ports.ts";
import type { AuditAction, BlobPlace, FileState, Tombstone } from "../files/ports.ts";
import type { AnswerPlace, TurnState } from "../llm/ports.ts";
import type { Asker } from "../members/member.ts";

// Changing anything here takes `bun run migration` and a fixture beside the others: see migrations.test.ts.
// Times are milliseconds since the epoch, sizes bytes.

const fileStates = ["pending", "uploading", "ready", "deleting"] as const satisfies FileState[];
const outcomes = ["used", "expired"] as const satisfies Tombstone["outcome"][];
const kinds = ["upload.finished", "file.expiring"] as const satisfies Announcement["kind"][];
const turnStates = [
  "queued",
  "answering",
  "done",
  "stopped",
  "failed",
  "interrupted",
] as const satisfies TurnState[];

/** `unshared`: its files keep it, and nobody who sends the same gets it; the next who does brings their replacement. */
const blobStates = ["live", "unshared", "deleting"] as const;
/** Of blobs that somebody is to have tomorrow. */
export const keptStates = ["live", "unshared"] as const satisfies (typeof blobStates)[number][];
const blobPlaces = ["disk", "s3"] as const satisfies BlobPlace[];
const auditActions = [
  "uploaded",
  "downloaded",
  "viewed",
  "extended",
  "changed",
  "deleted",
  "expired",
  "refused",
] as const satisfies AuditAction[];

/** Stored bytes. Files with the same bytes share one: it goes when the last of them does. */
export const blobs = sqliteTable(
  "blobs",
  {
    key: text("key").primaryKey(),
    sha256: text("sha256").notNull(),
    size: integer("size").notNull(),
    /** Unsigned; null for what was stored before it was kept. */
    crc32: integer("crc32"),
    state: text("state", { enum: blobStates }).notNull(),
    place: text("place", { enum: blobPlaces }).notNull(),
    createdAt: integer("created_at").notNull(),
    /** When its bytes were last read again and compared. */
    checkedAt: integer("checked_at").notNull(),
  },
  (blob) => [
    uniqueIndex("blobs_content").on(blob.sha256, blob.size).where(is(blob.state, "live")),
    index("blobs_unshared").on(blob.sha256, blob.size).where(is(blob.state, "unshared")),
    index("blobs_deleting").on(blob.key).where(is(blob.state, "deleting")),
    index("blobs_checked").on(blob.checkedAt).where(oneOf(blob.state, keptStates)),
    index("blobs_place").on(blob.place, blob.key),
    check("blobs_state", oneOf(blob.state, blobStates)),
    check("blobs_place", oneOf(blob.place, blobPlaces)),
    check("blobs_sha256", sql`length(${blob.sha256}) = 64`),
    check("blobs_size", sql`typeof(${blob.size}) = 'integer' and ${blob.size} >= 0`),
  ],
);

/** What people have or are about to have: a file, a member of a bundle, or a bundle, which has no bytes of its own. */
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
    /** The bundle that it is a member of. */
    parentId: text("parent_id"),
    /** How many files a bundle waits for; null for everything else. */
    expected: integer("expected"),
    /** A member's place in its bundle, with folders. */
    path: text("path"),
    /** What the bytes on their way in are kept under, and what a resumable upload is known by. */
    uploadKey: text("upload_key"),
    /** How many bytes its sender announced; null: nobody knows yet. */
    length: integer("length"),
    /** A cut upload may go on until then; null: it may not. */
    resumeUntil: integer("resume_until"),
    /** Null until ready, and for a bundle. */
    blobKey: text("blob_key").references(() => blobs.key),
    title: text("title"),
    note: text("note"),
    /** argon2id, as Bun.password writes it. */
    passwordHash: text("password_hash"),
    maxDownloads: integer("max_downloads"),
    /** Sessions, not requests. */
    downloads: integer("downloads").notNull().default(0),
    /** A finished bundle's files together. */
    bundleBytes: integer("bundle_bytes"),
    /** How long its sender wants it kept; null: as long as the limits say. */
    expireAfter: integer("expire_after"),
    /** Who asked, for the limits that apply to them. */
    asker: text("asker", { mode: "json" }).$type<Asker>(),
    /** When its owner was told that it goes soon. */
    remindedAt: integer("reminded_at"),
  },
  (file) => [
    uniqueIndex("files_ticket").on(file.ticketHash),
    index("files_newest").on(file.createdAt, file.id),
    // Also answers what an owner has, without a look at the rows. Not the state: each change of it would rewrite a
    // page of this index too, which made a clean-up among a million rows take half as long again.
    index("files_owner").on(file.ownerId, file.createdAt, file.id, file.size, file.parentId),
    index("files_parent").on(file.parentId, file.path, file.id).where(sql`${file.parentId} is not null`),
    uniqueIndex("files_upload").on(file.uploadKey).where(sql`${file.uploadKey} is not null`),
    index("files_blob").on(file.blobKey).where(sql`${file.blobKey} is not null`),
    index("files_reminder")
      .on(file.expiresAt)
      .where(sql`${is(file.state, "ready")} and ${file.remindedAt} is null and ${file.parentId} is null`),
    // Partial: a scan for what is due costs by what it finds, however many rows are kept. Members go with their bundles.
    index("files_expiry")
      .on(file.expiresAt)
      .where(sql`${is(file.state, "ready")} and ${file.parentId} is null`),
    // The id is for the look at the members that keep a link open.
    index("files_link_expiry").on(file.linkExpiresAt, file.id).where(is(file.state, "pending")),
    index("files_bundles")
      .on(file.linkExpiresAt)
      .where(sql`${is(file.state, "pending")} and ${file.expected} is not null`),
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

/** Who has begun to download what. A download counts once a session, however many requests it takes. */
export const downloadSessions = sqliteTable(
  "download_sessions",
  {
    fileId: text("file_id")
      .notNull()
      .references(() => files.id, { onDelete: "cascade" }),
    /** A keyed hash: see files/audience.ts. */
    who: text("who").notNull(),
    startedAt: integer("started_at").notNull(),
    lastAt: integer("last_at").notNull(),
  },
  (session) => [
    primaryKey({ columns: [session.fileId, session.who] }),
    index("download_sessions_last").on(session.lastAt),
  ],
);

/** What happened to files, for their owners and admins. Only ever added to; a trigger refuses changes. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    /** No foreign key: it outlives the file. */
    fileId: text("file_id").notNull(),
    ownerId: text("owner_id").notNull(),
    name: text("name").notNull(),
    action: text("action", { enum: auditActions }).notNull(),
    /** A member's id, or a keyed hash of an address. */
    who: text("who").notNull(),
  },
  (entry) => [
    index("audit_file").on(entry.fileId, entry.id),
    index("audit_owner").on(entry.ownerId, entry.id),
    index("audit_at").on(entry.at),
    check("audit_action", oneOf(entry.action, auditActions)),
  ],
);

/** When a token was last of use to anybody. Not coalesce: drizzle-kit 0.31 cuts an expression with a comma in two. */
export const lastSeen = ({
  lastUsedAt,
  createdAt,
}: Record<"lastUsedAt" | "createdAt", AnySQLiteColumn>): SQL =>
  sql`case when ${lastUsedAt} is null then ${createdAt} else ${lastUsedAt} end`;

/** API tokens. Only their hashes: a stolen database uploads nothing. */
export const tokens = sqliteTable(
  "tokens",
  {
    id: text("id").primaryKey(),
    hash: text("hash").notNull(),
    ownerId: text("owner_id").notNull(),
    asker: text("asker", { mode: "json" }).$type<Asker>().notNull(),
    name: text("name").notNull(),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at"),
  },
  (token) => [
    uniqueIndex("tokens_hash").on(token.hash),
    index("tokens_owner").on(token.ownerId, token.createdAt, token.id),
    index("tokens_last_seen").on(lastSeen(token)),
    check("tokens_asker", sql`json_valid(${token.asker})`),
  ],
);

/** What members have chosen. No row: everything as it comes. */
export const members = sqliteTable("members", {
  id: text("id").primaryKey(),
  remindersOff: integer("reminders_off", { mode: "boolean" }).notNull(),
  /** Null: the one of where they ask. */
  model: text("model"),
});

/** Random keys that wisbot made for itself, in base64url. */
export const keys = sqliteTable("keys", { name: text("name").primaryKey(), value: text("value").notNull() });

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
  if (!/^[a-z0-9.]+$/.test(word)) throw new Error(`not a word of the schema: ${word}`);
  return sql.raw(`'${word}'`);
}
