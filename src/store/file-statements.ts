import { and, count, eq, getTableColumns, gt, inArray, lt, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Connection } from "./connection.ts";
import { announcements, files, is, oneOf, tombstones } from "./schema.ts";
import { given, givenRow } from "./sql.ts";

type Db = Connection["db"];

const { ticketHash: _ticket, aliveAt: _alive, ...shown } = getTableColumns(files);

/** A row as the port shows it: without its ticket and its heartbeat. */
export const fileRow = shown;

/** Every statement about files and tombstones, prepared once. */
export function prepareFileStatements(db: Db) {
  return { ...quotas(db), ...reads(db), ...uploads(db), ...ends(db), ...burials(db) };
}

const byId = eq(files.id, given("id"));
const byTicket = eq(files.ticketHash, given("ticketHash"));
const byIds = inArray(files.id, sql`(select value from json_each(${given("ids")}))`);
const areDeleting = and(byIds, is(files.state, "deleting"));
const areUploading = and(byIds, is(files.state, "uploading"));
const isUploading = and(byId, is(files.state, "uploading"));

/** The statements that give room: each asks and takes in one. What is being deleted counts until its bytes are gone. */
function quotas(db: Db) {
  const other = alias(files, "other");
  const bytes = sql<number>`coalesce(sum(${other.size}), 0)`;
  const countsFor = (owner: SQL | typeof files.ownerId) => eq(other.ownerId, owner);
  const usage = db
    .select({ files: count().as("held_files"), bytes: bytes.as("held_bytes") })
    .from(other)
    .where(countsFor(given("ownerId")));
  const held = usage.as("held");
  const heldByOwner = db.select({ bytes }).from(other).where(countsFor(files.ownerId));

  return {
    usage: usage.prepare(),
    insert: db
      .insert(files)
      .select(
        sql`select ${givenRow(files)} from ${held} where ${held.files} < ${given("maxFiles")} and ${held.bytes} + ${given("size")} <= ${given("maxBytes")}`,
      )
      .returning({ id: files.id })
      .prepare(),
    // While pending a row weighs nothing, so that what is held is what the others hold.
    claim: db
      .update(files)
      .set({ state: "uploading", name: given("name"), size: given("size"), aliveAt: given("now") })
      .where(
        and(
          byTicket,
          is(files.state, "pending"),
          gt(files.linkExpiresAt, given("now")),
          sql`${heldByOwner} + ${given("size")} <= ${given("maxBytes")}`,
        ),
      )
      .returning(fileRow)
      .prepare(),
    reserve: db
      .update(files)
      .set({ size: sql`max(${files.size}, ${given("size")})` })
      .where(and(isUploading, sql`${heldByOwner} - ${files.size} + ${given("size")} <= ${given("maxBytes")}`))
      .returning({ id: files.id })
      .prepare(),
  };
}

function reads(db: Db) {
  return {
    find: db.select(fileRow).from(files).where(byId).prepare(),
    findByTicket: db.select(fileRow).from(files).where(byTicket).prepare(),
    deleting: db
      .select(fileRow)
      .from(files)
      .where(is(files.state, "deleting"))
      .orderBy(files.createdAt, files.id)
      .limit(sql.placeholder("limit"))
      .prepare(),
    abandoned: db
      .select(fileRow)
      .from(files)
      .where(and(is(files.state, "uploading"), lt(files.aliveAt, given("before"))))
      .orderBy(files.createdAt, files.id)
      .limit(sql.placeholder("limit"))
      .prepare(),
  };
}

function uploads(db: Db) {
  return {
    touch: db
      .update(files)
      .set({ aliveAt: given("now") })
      .where(and(byIds, is(files.state, "uploading")))
      .prepare(),
    reopen: db
      .update(files)
      .set({ state: "pending", name: null, size: 0, aliveAt: null })
      .where(and(areUploading, sql`${files.ticketHash} is not null`))
      .prepare(),
    dropUnlinked: db
      .delete(files)
      .where(and(areUploading, sql`${files.ticketHash} is null`))
      .prepare(),
    finish: db
      .update(files)
      .set({
        state: "ready",
        size: given("size"),
        sha256: given("sha256"),
        contentType: given("contentType"),
        readyAt: given("readyAt"),
        expiresAt: given("expiresAt"),
        aliveAt: null,
      })
      .where(isUploading)
      .returning(fileRow)
      .prepare(),
    owe: db
      .insert(announcements)
      .select(sql`select ${givenRow(announcements)}`)
      .prepare(),
  };
}

function ends(db: Db) {
  /** The `limit` rows that ended first, found in the partial index alone. */
  const ended = (state: "ready" | "pending", at: typeof files.expiresAt | typeof files.linkExpiresAt) =>
    sql`select * from (select rowid from ${files} where ${is(files.state, state)} and ${at} <= ${given("now")} order by ${at} limit ${given("limit")})`;

  return {
    setExpiry: db
      .update(files)
      .set({ expiresAt: given("expiresAt") })
      .where(and(byId, is(files.state, "ready")))
      .returning({ id: files.id })
      .prepare(),
    markDeleting: db
      .update(files)
      .set({ state: "deleting" })
      .where(and(byId, oneOf(files.state, ["pending", "ready"])))
      .returning({ id: files.id })
      .prepare(),
    markExpired: db
      .update(files)
      .set({ state: "deleting" })
      .where(
        sql`rowid in (${ended("ready", files.expiresAt)} union all ${ended("pending", files.linkExpiresAt)} limit ${given("limit")})`,
      )
      .returning(fileRow)
      .prepare(),
    remove: db.delete(files).where(areDeleting).prepare(),
  };
}

function burials(db: Db) {
  const now = given<number>("now");
  const wasUsed = sql`${files.readyAt} is not null`;
  return {
    // A used ticket's 30 days begin when its file goes; an expired one tells when it expired.
    bury: db
      .insert(tombstones)
      .select(
        db
          .select({
            ticketHash: sql<string>`${files.ticketHash}`.as("ticket_hash"),
            outcome: sql<"used" | "expired">`case when ${wasUsed} then 'used' else 'expired' end`.as(
              "outcome",
            ),
            fileId: files.id,
            at: sql<number>`case when ${wasUsed} then ${now} else min(${files.linkExpiresAt}, ${now}) end`.as(
              "at",
            ),
          })
          .from(files)
          .where(and(areDeleting, sql`${files.ticketHash} is not null`)),
      )
      .prepare(),
    findTombstone: db
      .select({ outcome: tombstones.outcome, fileId: tombstones.fileId, at: tombstones.at })
      .from(tombstones)
      .where(eq(tombstones.ticketHash, given("ticketHash")))
      .prepare(),
    dropTombstones: db
      .delete(tombstones)
      .where(
        sql`rowid in (select rowid from ${tombstones} where ${tombstones.at} < ${given("before")} order by ${tombstones.at} limit ${given("limit")})`,
      )
      .returning({ ticketHash: tombstones.ticketHash })
      .prepare(),
  };
}
