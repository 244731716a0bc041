import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Announcement, Origin } from "../../announce/ports.ts";
import type { BlobPlace } from "../../files/blob-ports.ts";
import type { AuditAction, FileState, Tombstone } from "../../files/ports.ts";
import type { Asker } from "../../members/member.ts";
import { is, oneOf } from "./conditions.ts";

const fileStates = ["pending", "uploading", "ready", "deleting"] as const satisfies FileState[];
const outcomes = ["used", "expired"] as const satisfies Tombstone["outcome"][];
const kinds = ["upload.finished", "file.expiring"] as const satisfies Announcement["kind"][];
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
    /** A keyed hash: see lib/pseudonym.ts. */
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
