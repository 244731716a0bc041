import { and, eq, gte, isNull, lt, or, sql } from "drizzle-orm";
import type { DownloadLog } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { downloadSessions, files, is } from "./schema.ts";
import { given } from "./sql.ts";

/** Who downloads what now. */
export function createDownloadLog({ db, run, keep }: Connection): DownloadLog {
  const bySession = and(eq(downloadSessions.fileId, given("fileId")), eq(downloadSessions.who, given("who")));
  const isReady = and(eq(files.id, given("fileId")), is(files.state, "ready"));
  const statements = {
    find: db.select({ id: files.id }).from(files).where(isReady).prepare(),
    goOn: db
      .update(downloadSessions)
      .set({ lastAt: given("now") })
      .where(and(bySession, gte(downloadSessions.lastAt, given("since"))))
      .returning({ who: downloadSessions.who })
      .prepare(),
    take: db
      .update(files)
      .set({ downloads: sql`${files.downloads} + 1` })
      .where(and(isReady, or(isNull(files.maxDownloads), lt(files.downloads, files.maxDownloads))))
      .returning({ id: files.id })
      .prepare(),
    begin: db
      .insert(downloadSessions)
      .values({
        fileId: given("fileId"),
        who: given("who"),
        startedAt: given("startedAt"),
        lastAt: given("lastAt"),
      })
      .onConflictDoUpdate({
        target: [downloadSessions.fileId, downloadSessions.who],
        set: { startedAt: given("startedAt"), lastAt: given("lastAt") },
      })
      .prepare(),
    drop: db
      .delete(downloadSessions)
      .where(
        sql`rowid in (select rowid from ${downloadSessions} where ${downloadSessions.lastAt} < ${given("before")} order by ${downloadSessions.lastAt} limit ${given("limit")})`,
      )
      .returning({ who: downloadSessions.who })
      .prepare(),
  };

  return {
    begin: ({ fileId, who, now, since }) =>
      keep(() =>
        db.transaction(
          () => {
            if (!statements.find.get({ fileId })) return "gone";
            if (statements.goOn.all({ fileId, who, now, since }).length > 0) return "again";
            if (statements.take.all({ fileId }).length === 0) return "spent";
            statements.begin.run({ fileId, who, startedAt: now, lastAt: now });
            return "new";
          },
          { behavior: "immediate" },
        ),
      ),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}
