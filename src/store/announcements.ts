import { and, count, eq, getTableColumns, isNotNull, isNull, lte, min, sql } from "drizzle-orm";
import type { Announcement, AnnouncementLog } from "../announce/ports.ts";
import type { Connection } from "./connection.ts";
import { announcements } from "./schema.ts";
import { given, type Row } from "./sql.ts";

/** A fresh announcement as its row: due at once. */
export function announcementRow({ origin, ...announcement }: Announcement) {
  return {
    ...announcement,
    origin: origin && JSON.stringify(origin),
    attempts: 0,
    dueAt: announcement.createdAt,
    failedAt: null,
  } satisfies Row<typeof announcements>;
}

/** The rows of the outbox. They come into being with the file they speak of: see FileIndex.finish. */
export function createAnnouncementLog({ db, run }: Connection): AnnouncementLog {
  const { attempts, dueAt, failedAt, ...announcement } = getTableColumns(announcements);
  const waits = isNull(failedAt);
  const byId = eq(announcements.id, given("id"));
  const statements = {
    due: db
      .select({ announcement, attempts })
      .from(announcements)
      .where(and(waits, lte(dueAt, given("now"))))
      .orderBy(dueAt)
      .limit(sql.placeholder("limit"))
      .prepare(),
    nextDueAt: db
      .select({ at: min(dueAt) })
      .from(announcements)
      .where(waits)
      .prepare(),
    waiting: db.select({ rows: count() }).from(announcements).where(waits).prepare(),
    delivered: db.delete(announcements).where(byId).prepare(),
    retryAt: db
      .update(announcements)
      .set({ dueAt: given("at"), attempts: given("attempts") })
      .where(byId)
      .prepare(),
    failed: db
      .update(announcements)
      .set({ failedAt: given("now") })
      .where(byId)
      .prepare(),
    drop: db
      .delete(announcements)
      .where(
        sql`rowid in (select rowid from ${announcements} where ${isNotNull(failedAt)} and ${failedAt} < ${given("before")} order by ${failedAt} limit ${given("limit")})`,
      )
      .returning({ id: announcements.id })
      .prepare(),
  };

  return {
    due: (now, limit) => run(() => statements.due.all({ now, limit })),
    nextDueAt: () => run(() => statements.nextDueAt.get()?.at ?? undefined),
    waiting: () => run(() => statements.waiting.get()?.rows ?? 0),
    delivered: (id) => run(() => statements.delivered.run({ id })),
    retryAt: (id, at, attempts) => run(() => statements.retryAt.run({ id, at, attempts })),
    failed: (id, now) => run(() => statements.failed.run({ id, now })),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}
