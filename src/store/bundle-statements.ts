import { and, count, eq, lte, or, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import type { Connection } from "./connection.ts";
import { blobRow, byId, fileRow } from "./file-rows.ts";
import { blobs, files, is } from "./schema.ts";
import { given } from "./sql.ts";

type Db = Connection["db"];

export function prepareBundles(db: Db) {
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
