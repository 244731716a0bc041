import { and, eq, isNull, lt, min, not, sql } from "drizzle-orm";
import { prepareBundles } from "./bundle-statements.ts";
import type { Connection } from "./connection.ts";
import { prepareBurials, prepareEndings } from "./ending-statements.ts";
import { areUploading, byId, byTicket, fileRow, hasMembers, isSilent, isUploading } from "./file-rows.ts";
import { prepareQuotas } from "./quota-statements.ts";
import { announcements, blobs, files, is } from "./schema.ts";
import { given, givenRow } from "./sql.ts";

type Db = Connection["db"];

/** Every statement about files and tombstones, prepared once. */
export function prepareFileStatements(db: Db) {
  return {
    ...prepareQuotas(db),
    ...reads(db),
    ...uploads(db),
    ...prepareBundles(db),
    ...prepareEndings(db),
    ...prepareBurials(db),
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
