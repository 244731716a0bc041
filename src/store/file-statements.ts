import {
  and,
  count,
  eq,
  getTableColumns,
  gt,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  min,
  not,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
import { type AnySQLiteColumn, alias } from "drizzle-orm/sqlite-core";
import type { BlobPlace } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { announcements, blobs, files, is, members, oneOf, tombstones } from "./schema.ts";
import { given, givenRow, rowOf } from "./sql.ts";

type Db = Connection["db"];

const { ticketHash: _ticket, aliveAt: _alive, remindedAt: _reminded, ...shown } = getTableColumns(files);

/** A row as the port shows it: without its ticket, its heartbeat and what its owner was told. */
export const fileRow = shown;

const { key, sha256, size, crc32, place } = getTableColumns(blobs);

/** A blob as the port shows it. */
export const blobRow = { key, sha256, size, crc32, place };

/** Every statement about files and tombstones, prepared once. */
export function prepareFileStatements(db: Db) {
  return {
    ...quotas(db),
    ...reads(db),
    ...uploads(db),
    ...bundles(db),
    ...ends(db),
    ...burials(db),
  };
}

const byId = eq(files.id, given("id"));
const byTicket = eq(files.ticketHash, given("ticketHash"));
const byIds = inArray(files.id, sql`(select value from json_each(${given("ids")}))`);
const areDeleting = and(byIds, is(files.state, "deleting"));
const areUploading = and(byIds, is(files.state, "uploading"));
const isUploading = and(byId, is(files.state, "uploading"));
const isSilent = sql`${files.aliveAt} < ${given("silentSince")}`;
const member = alias(files, "member");
const hasMembers = sql`exists (select 1 from ${files} as ${sql.identifier("member")} where ${eq(member.parentId, files.id)})`;
/** A bundle goes with the last of its members: nobody would find them without it. */
const areRemovable = and(areDeleting, not(hasMembers));

/** The statements that give room: each asks and takes in one. What is being deleted counts until its bytes are gone. */
function quotas(db: Db) {
  const other = alias(files, "other");
  const bytes = sql<number>`coalesce(sum(${other.size}), 0)`;
  // A bundle counts as one file, whatever it holds.
  const shares = sql<number>`count(*) filter (where ${other.parentId} is null)`;
  const countsFor = (owner: SQL | typeof files.ownerId) => eq(other.ownerId, owner);
  const usage = db
    .select({ files: shares.as("held_files"), bytes: bytes.as("held_bytes") })
    .from(other)
    .where(countsFor(given("ownerId")));
  const held = usage.as("held");
  const heldByOwner = db.select({ bytes }).from(other).where(countsFor(files.ownerId));
  const isOpen = and(byTicket, is(files.state, "pending"), gt(files.linkExpiresAt, given("now")));

  const membersNow = db.select({ rows: count() }).from(other).where(eq(other.parentId, files.id));
  const bundle = alias(files, "bundle");
  const places = db.select({ taken: count() }).from(other).where(eq(other.parentId, bundle.id));
  const heldByBundle = db.select({ bytes }).from(other).where(eq(other.ownerId, bundle.ownerId));
  const ofBundle: Partial<Record<keyof typeof files.$inferSelect, SQL | AnySQLiteColumn>> = {
    ownerId: bundle.ownerId,
    parentId: bundle.id,
    asker: bundle.asker,
    origin: bundle.origin,
  };

  const claimed = {
    state: "uploading" as const,
    name: given<string>("name"),
    contentType: given<string>("contentType"),
    size: given<number>("size"),
    uploadKey: given<string>("uploadKey"),
    length: given<number>("length"),
    resumeUntil: given<number>("resumeUntil"),
    aliveAt: given<number>("now"),
  };
  const fits = sql`${heldByOwner} - ${files.size} + ${given("size")} <= ${given("maxBytes")}`;
  /** What is said now, or else what was said before. */
  const said = (name: string, before: AnySQLiteColumn) =>
    sql`case when ${given("said")} then ${given(name)} else ${before} end`;

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
      .set(claimed)
      .where(and(isOpen, isNull(files.expected), fits))
      .returning(fileRow)
      .prepare(),
    takeOver: db
      .update(files)
      .set(claimed)
      .where(
        and(
          eq(files.uploadKey, given("replaces")),
          is(files.state, "uploading"),
          gt(files.resumeUntil, given("now")),
          fits,
        ),
      )
      .returning(fileRow)
      .prepare(),
    join: db
      .insert(files)
      .select(
        sql`select ${rowOf(files, ofBundle)} from ${files} as ${sql.identifier("bundle")} where ${and(
          eq(bundle.ticketHash, given("bundleTicket")),
          is(bundle.state, "pending"),
          gt(bundle.linkExpiresAt, given("now")),
          sql`${places} < ${bundle.expected}`,
          sql`${heldByBundle} + ${given("size")} <= ${given("maxBytes")}`,
        )}`,
      )
      .returning(fileRow)
      .prepare(),
    reserve: db
      .update(files)
      .set({ size: sql`max(${files.size}, ${given("size")})` })
      .where(and(isUploading, fits))
      .returning({ id: files.id })
      .prepare(),
    prepare: db
      .update(files)
      .set({
        // What is there already is not forgotten by saying so again.
        expected: sql`case when ${membersNow} = 0 then ${given("expected")} else max(coalesce(${given("expected")}, 0), ${membersNow}) end`,
        title: said("title", files.title),
        note: said("note", files.note),
        passwordHash: said("passwordHash", files.passwordHash),
        maxDownloads: said("maxDownloads", files.maxDownloads),
        expireAfter: said("expireAfter", files.expireAfter),
      })
      .where(
        or(
          isOpen,
          and(
            byTicket,
            is(files.state, "uploading"),
            sql`${files.resumeUntil} > ${given("now")}`,
            sql`${given("expected")} is null`,
          ),
        ),
      )
      .returning({ id: files.id })
      .prepare(),
  };
}

function reads(db: Db) {
  return {
    find: db.select(fileRow).from(files).where(byId).prepare(),
    findByTicket: db.select(fileRow).from(files).where(byTicket).prepare(),
    findByUpload: db
      .select(fileRow)
      .from(files)
      .where(eq(files.uploadKey, given("uploadKey")))
      .prepare(),
    nextExpiry: db
      .select({
        next: sql<
          number | null
        >`min(case when ${files.expiresAt} > ${given("now")} then ${files.expiresAt} end)`,
        first: min(files.expiresAt),
      })
      .from(files)
      .where(and(eq(files.ownerId, given("ownerId")), is(files.state, "ready")))
      .prepare(),
    deleting: db
      .select(fileRow)
      .from(files)
      .where(and(is(files.state, "deleting"), not(hasMembers)))
      .orderBy(files.createdAt, files.id)
      .limit(sql.placeholder("limit"))
      .prepare(),
    abandoned: db
      .select(fileRow)
      .from(files)
      .where(
        and(
          is(files.state, "uploading"),
          lt(files.aliveAt, given("before")),
          sql`coalesce(${files.resumeUntil}, 0) <= ${given("now")}`,
        ),
      )
      .orderBy(files.createdAt, files.id)
      .limit(sql.placeholder("limit"))
      .prepare(),
  };
}

function uploads(db: Db) {
  const isUntrusted = and(
    is(blobs.state, "unshared"),
    eq(blobs.sha256, given("sha256")),
    eq(blobs.size, given("size")),
  );
  const isReleased = and(areUploading, isSilent);
  return {
    touch: db
      .update(files)
      .set({
        aliveAt: given("now"),
        resumeUntil: sql`case when ${files.resumeUntil} is null then null else ${given("resumeUntil")} end`,
      })
      .where(areUploading)
      .prepare(),
    // A bundle waits as long as one of its files may still come.
    touchBundles: db
      .update(files)
      .set({ linkExpiresAt: sql`max(${files.linkExpiresAt}, ${given("resumeUntil")})` })
      .where(
        and(
          is(files.state, "pending"),
          sql`${files.id} in (select ${files.parentId} from ${files} where ${areUploading})`,
        ),
      )
      .prepare(),
    released: db.select({ uploadKey: files.uploadKey }).from(files).where(isReleased).prepare(),
    reopen: db
      .update(files)
      .set({
        state: "pending",
        name: null,
        contentType: null,
        size: 0,
        aliveAt: null,
        uploadKey: null,
        length: null,
        resumeUntil: null,
      })
      .where(and(isReleased, sql`${files.ticketHash} is not null`))
      .prepare(),
    // The plus keeps SQLite from looking through every row that has no ticket.
    dropUnlinked: db
      .delete(files)
      .where(and(isReleased, sql`+${files.ticketHash} is null`))
      .prepare(),
    announce: db
      .update(files)
      .set({ length: given("length") })
      .where(and(isUploading, isNull(files.length)))
      .returning({ id: files.id })
      .prepare(),
    finish: db
      .update(files)
      .set({
        state: "ready",
        size: given("size"),
        sha256: given("sha256"),
        readyAt: given("readyAt"),
        expiresAt: given("expiresAt"),
        blobKey: given("blobKey"),
        aliveAt: null,
        resumeUntil: null,
      })
      .where(isUploading)
      .returning(fileRow)
      .prepare(),
    sameContent: db
      .select({ key: blobs.key })
      .from(blobs)
      .where(and(is(blobs.state, "live"), eq(blobs.sha256, given("sha256")), eq(blobs.size, given("size"))))
      .prepare(),
    store: db
      .insert(blobs)
      .select(sql`select ${givenRow(blobs)}`)
      .prepare(),
    replace: db
      .update(files)
      .set({ blobKey: given("key") })
      .where(sql`${files.blobKey} in ${db.select({ key: blobs.key }).from(blobs).where(isUntrusted)}`)
      .prepare(),
    retireReplaced: db.update(blobs).set({ state: "deleting" }).where(isUntrusted).prepare(),
    learnChecksum: db
      .update(blobs)
      .set({ crc32: given("crc32") })
      .where(eq(blobs.key, given("key")))
      .prepare(),
    owe: db
      .insert(announcements)
      .select(sql`select ${givenRow(announcements)}`)
      .prepare(),
  };
}

function bundles(db: Db) {
  const member = alias(files, "member");
  const isMember = eq(member.parentId, files.id);
  const counted = (condition: SQL | undefined) =>
    db.select({ rows: count() }).from(member).where(and(isMember, condition));
  const ready = counted(is(member.state, "ready"));
  const isOpenBundle = and(is(files.state, "pending"), sql`${files.expected} is not null`);

  return {
    members: db
      .select({ row: fileRow, blob: blobRow })
      .from(files)
      .leftJoin(blobs, eq(files.blobKey, blobs.key))
      .where(eq(files.parentId, given("parentId")))
      .orderBy(files.path, files.id)
      .prepare(),
    seal: db
      .update(files)
      .set({
        state: "ready",
        name: given("name"),
        sha256: given("sha256"),
        contentType: "application/zip",
        expected: given("members"),
        bundleBytes: given("bytes"),
        readyAt: given("readyAt"),
        expiresAt: given("expiresAt"),
      })
      .where(
        and(
          byId,
          isOpenBundle,
          sql`${counted(undefined)} = ${given("members")}`,
          sql`${ready} = ${given("members")}`,
        ),
      )
      .returning(fileRow)
      .prepare(),
    membersAt: db
      .select(fileRow)
      .from(files)
      .where(and(eq(files.parentId, given("parentId")), eq(files.path, given("path"))))
      .prepare(),
    isWhole: db
      .select({ id: files.id })
      .from(files)
      .where(and(byId, isOpenBundle, sql`${ready} >= ${files.expected}`))
      .prepare(),
    unwrap: db
      .update(files)
      .set({
        state: "ready",
        expected: null,
        name: given("name"),
        size: given("size"),
        contentType: given("contentType"),
        sha256: given("sha256"),
        uploadKey: given("uploadKey"),
        length: given("length"),
        blobKey: given("blobKey"),
        readyAt: given("readyAt"),
        expiresAt: given("expiresAt"),
      })
      .where(byId)
      .returning(fileRow)
      .prepare(),
    isLone: db
      .select({ id: files.id })
      .from(files)
      .where(and(byId, isOpenBundle, sql`${counted(undefined)} = 1`, sql`${ready} = 1`))
      .prepare(),
    dropMember: db
      .delete(files)
      .where(and(eq(files.id, given("memberId")), eq(files.parentId, given("id"))))
      .returning(fileRow)
      .prepare(),
    sealMembers: db
      .update(files)
      .set({ expiresAt: given("expiresAt") })
      .where(and(eq(files.parentId, given("id")), is(files.state, "ready")))
      .prepare(),
    overdue: db
      .select(fileRow)
      .from(files)
      .where(
        and(
          isOpenBundle,
          sql`${ready} > 0`,
          or(lte(files.linkExpiresAt, given("now")), sql`${ready} >= ${files.expected}`),
        ),
      )
      .limit(sql.placeholder("limit"))
      .prepare(),
  };
}

function ends(db: Db) {
  /** The `limit` rows that ended first, found in the partial index alone. */
  const ended = (which: SQL | undefined, at: typeof files.expiresAt | typeof files.linkExpiresAt) =>
    sql`select * from (select rowid from ${files} where ${and(which, lte(at, given("now")))} order by ${at} limit ${given("limit")})`;
  const endedShares = ended(and(is(files.state, "ready"), isNull(files.parentId)), files.expiresAt);
  // What has arrived for a bundle is not thrown away with its link: see overdueBundles and abandoned.
  // Once a bundle is shared, its ZIP is what it is.
  const bundle = alias(files, "bundle");
  const ofOpenBundle = sql`exists (select 1 from ${files} as ${sql.identifier("bundle")} where ${eq(bundle.id, files.parentId)} and ${is(bundle.state, "pending")})`;
  const membersThatGo = sql`select ${member}.rowid from ${files} as going join ${files} as member on ${member.parentId} = going.id where going.state = 'deleting' and going.expected is not null and ${member.state} <> 'deleting' limit ${given("limit")}`;
  const endedLinks = ended(and(is(files.state, "pending"), not(hasMembers)), files.linkExpiresAt);

  return {
    setExpiry: db
      .update(files)
      .set({ expiresAt: given("expiresAt"), remindedAt: null })
      .where(and(byId, is(files.state, "ready"), isNull(files.parentId)))
      .returning({ id: files.id })
      .prepare(),
    markDeleting: db
      .update(files)
      .set({ state: "deleting" })
      .where(
        and(
          byId,
          or(isNull(files.parentId), ofOpenBundle),
          or(oneOf(files.state, ["pending", "ready"]), and(is(files.state, "uploading"), isSilent)),
        ),
      )
      .returning({ id: files.id })
      .prepare(),
    /** Members go with their bundles, whatever they were doing: what still arrives for them is withdrawn. */
    markMembersOf: db
      .update(files)
      .set({ state: "deleting" })
      .where(and(eq(files.parentId, given("id")), sql`${files.state} <> 'deleting'`))
      .prepare(),
    markMembers: db
      .update(files)
      .set({ state: "deleting" })
      .where(sql`rowid in (${membersThatGo})`)
      .returning(fileRow)
      .prepare(),
    markExpired: db
      .update(files)
      .set({ state: "deleting" })
      .where(sql`rowid in (${endedShares} union all ${endedLinks} limit ${given("limit")})`)
      .returning(fileRow)
      .prepare(),
    retire: db
      .update(blobs)
      .set({ state: "deleting" })
      .where(
        and(
          sql`${blobs.key} in (select ${files.blobKey} from ${files} where ${areDeleting})`,
          sql`not exists (select 1 from ${files} where ${files.blobKey} = ${blobs.key} and ${files.state} <> 'deleting')`,
        ),
      )
      .prepare(),
    /** A row that never became ready may have bytes under its upload key. */
    retired: db
      .select({
        id: files.id,
        key: sql<string>`coalesce(${blobs.key}, ${files.uploadKey})`,
        place: sql<BlobPlace>`coalesce(${blobs.place}, 'disk')`,
      })
      .from(files)
      .leftJoin(blobs, eq(files.blobKey, blobs.key))
      .where(
        and(
          areDeleting,
          or(is(blobs.state, "deleting"), and(isNull(files.blobKey), isNotNull(files.uploadKey))),
        ),
      )
      .prepare(),
    blobsOf: db.select({ key: files.blobKey }).from(files).where(areDeleting).prepare(),
    bundlesOf: db
      .select({ id: files.parentId })
      .from(files)
      .where(and(areDeleting, isNotNull(files.parentId)))
      .prepare(),
    remove: db.delete(files).where(areRemovable).prepare(),
    forget: db
      .delete(blobs)
      .where(
        and(
          sql`${blobs.key} in (select value from json_each(${given("keys")}))`,
          is(blobs.state, "deleting"),
          sql`not exists (select 1 from ${files} where ${files.blobKey} = ${blobs.key})`,
        ),
      )
      .prepare(),
    remind: db
      .update(files)
      .set({ remindedAt: given("now") })
      .where(
        // By name: the other index of expiries would show it every file again that its owner was told of.
        sql`rowid in (select rowid from ${files} indexed by files_reminder where ${and(
          is(files.state, "ready"),
          isNull(files.remindedAt),
          isNull(files.parentId),
          sql`${files.expiresAt} > ${given("now")}`,
          sql`${files.expiresAt} < ${given("now")} + ${given("lead")}`,
          sql`${files.expiresAt} - ${files.readyAt} >= 2 * ${given("lead")}`,
          // Discord ids: any other owner is a name that an admin gave.
          sql`length(${files.ownerId}) between 17 and 20 and ${files.ownerId} not glob '*[^0-9]*'`,
          sql`not exists (select 1 from ${members} where ${members.id} = ${files.ownerId} and ${members.remindersOff})`,
        )} order by ${files.expiresAt} limit ${given("limit")})`,
      )
      .returning(fileRow)
      .prepare(),
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
          .where(and(areRemovable, sql`${files.ticketHash} is not null`)),
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
