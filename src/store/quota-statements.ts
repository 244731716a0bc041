import { and, count, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import { type AnySQLiteColumn, alias } from "drizzle-orm/sqlite-core";
import type { Connection } from "./connection.ts";
import { byTicket, fileRow, isUploading } from "./file-rows.ts";
import { files, is } from "./schema.ts";
import { given, givenRow, rowOf } from "./sql.ts";

type Db = Connection["db"];

/** The statements that give room: each asks and takes in one. What is being deleted counts until its bytes are gone. */
export function prepareQuotas(db: Db) {
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
