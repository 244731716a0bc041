import { and, eq, gt, isNull, sql } from "drizzle-orm";
import type { AdminKeys } from "../members/ports.ts";
import type { Connection } from "./connection.ts";
import { adminKeys } from "./schema.ts";
import { given } from "./sql.ts";

export interface AdminKeyLog extends AdminKeys {
  /** Drops what ended before `before`, at most `limit`; gives how many. */
  drop(before: number, limit: number): Promise<number>;
}

/** How admins sign in: one row for a link and the session that it becomes. */
export function createAdminKeys({ db, run, keep }: Connection): AdminKeyLog {
  const { linkHash, sessionHash, endsAt } = adminKeys;
  const byLink = eq(linkHash, given("linkHash"));
  const bySession = eq(sessionHash, given("sessionHash"));
  const lasts = gt(endsAt, given("now"));
  const statements = {
    add: db
      .insert(adminKeys)
      .values({ linkHash: given("linkHash"), endsAt: given("endsAt") })
      .prepare(),
    link: db.select({ sessionHash, endsAt }).from(adminKeys).where(byLink).prepare(),
    open: db
      .update(adminKeys)
      .set({ sessionHash: given("sessionHash"), endsAt: given("endsAt") })
      .where(and(byLink, isNull(sessionHash), lasts))
      .returning({ linkHash })
      .prepare(),
    session: db.select({ endsAt }).from(adminKeys).where(and(bySession, lasts)).prepare(),
    end: db
      .update(adminKeys)
      .set({ endsAt: given("now") })
      .where(and(bySession, lasts))
      .prepare(),
    endAll: db
      .update(adminKeys)
      .set({ endsAt: given("now") })
      .where(lasts)
      .returning({ sessionHash })
      .prepare(),
    drop: db
      .delete(adminKeys)
      .where(
        sql`rowid in (select rowid from ${adminKeys} where ${endsAt} < ${given("before")} limit ${given("limit")})`,
      )
      .returning({ linkHash })
      .prepare(),
  };

  return {
    addLink: (linkHash, endsAt) => run(() => void statements.add.run({ linkHash, endsAt })),
    link: (linkHash) =>
      run(() => {
        const row = statements.link.get({ linkHash });
        return row && { used: row.sessionHash !== null, endsAt: row.endsAt };
      }),
    // Kept: a link that was used must not be good again after a power cut.
    open: (input) => keep(() => statements.open.all({ ...input }).length === 1),
    hasSession: (sessionHash, now) => run(() => statements.session.get({ sessionHash, now }) !== undefined),
    end: (sessionHash, now) => keep(() => void statements.end.run({ sessionHash, now })),
    endAll: (now) =>
      keep(() => {
        const ended = statements.endAll.all({ now });
        const sessions = ended.filter(({ sessionHash }) => sessionHash !== null).length;
        return { sessions, links: ended.length - sessions };
      }),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}
