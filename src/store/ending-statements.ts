import { and, eq, isNotNull, isNull, lte, not, or, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { BlobPlace } from "../files/blob-ports.ts";
import type { Connection } from "./connection.ts";
import { areDeleting, areRemovable, byId, fileRow, hasMembers, isSilent, member } from "./file-rows.ts";
import { blobs, files, is, members, oneOf, tombstones } from "./schema.ts";
import { given } from "./sql.ts";

type Db = Connection["db"];

export function prepareEndings(db: Db) {
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

export function prepareBurials(db: Db) {
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
