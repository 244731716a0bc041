import { and, count, eq, getTableColumns, gt, lt, sql, sum } from "drizzle-orm";
import type { BlobIndex } from "../files/blob-ports.ts";
import type { Connection } from "./connection.ts";
import { blobRow, fileRow } from "./file-rows.ts";
import { blobs, files, is, keptStates, oneOf } from "./schema.ts";
import { given } from "./sql.ts";

/** The rows of stored bytes. They come and go with the files that use them: see FileIndex.finish and remove. */
export function createBlobIndex({ db, run, keep }: Connection): BlobIndex {
  const isKept = oneOf(blobs.state, keptStates);
  const isUnused = and(
    is(blobs.state, "deleting"),
    sql`not exists (select 1 from ${files} where ${files.blobKey} = ${blobs.key})`,
  );
  const byKey = eq(blobs.key, given("key"));
  const { checkedAt } = getTableColumns(blobs);
  const statements = {
    find: db.select(blobRow).from(blobs).where(byKey).prepare(),
    findContent: db
      .select(blobRow)
      .from(blobs)
      .where(and(is(blobs.state, "live"), eq(blobs.sha256, given("sha256")), eq(blobs.size, given("size"))))
      .prepare(),
    distrust: db
      .update(blobs)
      .set({ state: "unshared" })
      .where(and(byKey, is(blobs.state, "live")))
      .prepare(),
    replaced: db.select(blobRow).from(blobs).where(isUnused).limit(sql.placeholder("limit")).prepare(),
    forget: db
      .delete(blobs)
      .where(and(sql`${blobs.key} in (select value from json_each(${given("keys")}))`, isUnused))
      .prepare(),
    unchecked: db
      .select(blobRow)
      .from(blobs)
      .where(and(isKept, lt(checkedAt, given("before"))))
      .orderBy(checkedAt)
      .limit(sql.placeholder("limit"))
      .prepare(),
    checked: db
      .update(blobs)
      .set({ checkedAt: given("now") })
      .where(byKey)
      .prepare(),
    users: db
      .select(fileRow)
      .from(files)
      .where(eq(files.blobKey, given("key")))
      .prepare(),
    inPlace: db
      .select(blobRow)
      .from(blobs)
      .where(and(eq(blobs.place, given("place")), gt(blobs.key, given("after")), isKept))
      .orderBy(blobs.key)
      .limit(sql.placeholder("limit"))
      .prepare(),
    total: db
      .select({ blobs: count(), bytes: sum(blobs.size).mapWith(Number) })
      .from(blobs)
      .where(and(eq(blobs.place, given("place")), isKept))
      .prepare(),
    moved: db
      .update(blobs)
      .set({ place: given("to") })
      .where(and(byKey, isKept, eq(blobs.place, given("from"))))
      .returning({ key: blobs.key })
      .prepare(),
  };

  return {
    find: (key) => run(() => statements.find.get({ key })),
    findContent: (sha256, size) => run(() => statements.findContent.get({ sha256, size })),
    // Synced: else a file that heals its like could be forgotten, and the bytes that it replaces be gone.
    distrust: (key) => keep(() => void statements.distrust.run({ key })),
    replaced: (limit) => run(() => statements.replaced.all({ limit })),
    forget: (keys) => run(() => void statements.forget.run({ keys: JSON.stringify(keys) })),
    unchecked: (before, limit) => run(() => statements.unchecked.all({ before, limit })),
    checked: (key, now) => run(() => void statements.checked.run({ key, now })),
    users: (key) => run(() => statements.users.all({ key })),
    inPlace: (place, after, limit) => run(() => statements.inPlace.all({ place, after, limit })),
    total: (place) =>
      run(() => {
        const { blobs = 0, bytes } = statements.total.get({ place }) ?? {};
        return { blobs, bytes: bytes ?? 0 };
      }),
    moved: (key, from, to) => keep(() => statements.moved.all({ key, from, to }).length === 1),
  };
}
