import { and, eq, type SQL, sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import type { UsageLog } from "../llm/ports.ts";
import type { Connection } from "./connection.ts";
import { llmUsage } from "./schema.ts";
import { given } from "./sql.ts";

const nothing = { requests: 0, tokens: 0, gpuMs: 0 };

/** What members have used. Not synced: after a power cut the last questions may not have been counted. */
export function createUsageLog({ db, run }: Connection): UsageLog {
  const { who, since, requests, tokens, gpuMs } = llmUsage;
  const used = { requests, tokens, gpuMs };
  const target = [who, since];
  const below = (amount: SQL | AnySQLiteColumn, max: string) =>
    sql`(${given(max)} is null or ${amount} < ${given(max)})`;
  const fits = (amounts: Record<keyof typeof used, SQL | AnySQLiteColumn>) =>
    sql.join(
      [
        below(amounts.requests, "maxRequests"),
        below(amounts.tokens, "maxTokens"),
        below(amounts.gpuMs, "maxGpuMs"),
      ],
      sql` and `,
    );
  const zero = sql`0`;
  /** What was used with some of it given back, or more of it taken. */
  const plus = (column: AnySQLiteColumn, more: string) => sql`max(0, ${column} + ${given(more)})`;
  const fresh = (more: string) => sql<number>`max(0, ${given(more)})`;

  const statements = {
    take: db
      .insert(llmUsage)
      .select(
        sql`select ${given("who")}, ${given("since")}, 1, 0, 0 where ${fits({ requests: zero, tokens: zero, gpuMs: zero })}`,
      )
      .onConflictDoUpdate({ target, set: { requests: sql`${requests} + 1` }, setWhere: fits(used) })
      .returning(used)
      .prepare(),
    add: db
      .insert(llmUsage)
      .values({
        who: given("who"),
        since: given("since"),
        requests: fresh("requests"),
        tokens: fresh("tokens"),
        gpuMs: fresh("gpuMs"),
      })
      .onConflictDoUpdate({
        target,
        set: {
          requests: plus(requests, "requests"),
          tokens: plus(tokens, "tokens"),
          gpuMs: plus(gpuMs, "gpuMs"),
        },
      })
      .prepare(),
    used: db
      .select(used)
      .from(llmUsage)
      .where(and(eq(who, given("who")), eq(since, given("since"))))
      .prepare(),
    drop: db
      .delete(llmUsage)
      .where(
        sql`rowid in (select rowid from ${llmUsage} where ${since} < ${given("before")} limit ${given("limit")})`,
      )
      .returning({ since })
      .prepare(),
  };

  return {
    take: (who, since, { requests = null, tokens = null, gpuMs = null }) =>
      run(() => {
        const max = { maxRequests: requests, maxTokens: tokens, maxGpuMs: gpuMs };
        const [taken] = statements.take.all({ who, since, ...max });
        if (taken) return { taken: true, used: taken };
        return { taken: false, used: statements.used.get({ who, since }) ?? nothing };
      }),
    add: (who, since, used) => run(() => statements.add.run({ who, since, ...used })),
    used: (who, since) => run(() => statements.used.get({ who, since }) ?? nothing),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}
