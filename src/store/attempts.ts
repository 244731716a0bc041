import { and, desc, eq, getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import type { AttemptCursor, AttemptLog, AttemptRow, ModelVotes } from "../llm/ports.ts";
import type { Connection } from "./connection.ts";
import { attempts } from "./schema.ts";
import { given } from "./sql.ts";

/** Rows that are read at once. */
const PAGE = 200;
/** Before all there will be. */
const END: AttemptCursor = { createdAt: Number.MAX_SAFE_INTEGER, number: Number.MAX_SAFE_INTEGER };

/** The inference history. Not synced: after a power cut the newest rows may be missing. */
export function createAttemptLog({ db, run }: Connection): AttemptLog {
  const byUser = eq(attempts.userId, given("userId"));
  // The row's own number is the end of every index.
  const number = sql<number>`rowid`;
  const numbered = { ...getTableColumns(attempts), number };
  const order = sql`(${attempts.createdAt}, ${number})`;
  const cursor = sql`(${given("createdAt")}, ${given("number")})`;
  const page = (which: SQL | undefined) =>
    db
      .select(numbered)
      .from(attempts)
      .where(and(which, sql`${order} < ${cursor}`))
      .orderBy(desc(attempts.createdAt), desc(number))
      .limit(sql.placeholder("limit"))
      .prepare();
  const votes = (where: SQL | undefined) =>
    db
      .select({
        model: attempts.model,
        up: sql<number>`count(*) filter (where ${attempts.vote} = 1)`,
        down: sql<number>`count(*) filter (where ${attempts.vote} = -1)`,
        answers: sql<number>`count(*)`,
      })
      .from(attempts)
      .where(and(where, sql`${attempts.outcome} = 'ok'`));
  const statements = {
    begin: db
      .insert(attempts)
      .values({
        id: given("id"),
        turnId: given("turnId"),
        userId: given("userId"),
        guildId: given("guildId"),
        channelId: given("channelId"),
        model: given("model"),
        host: given("host"),
        createdAt: given("createdAt"),
        queueMs: given("queueMs"),
        traceId: given("traceId"),
        question: given("question"),
      })
      .prepare(),
    end: db
      .update(attempts)
      .set({
        endedAt: given("endedAt"),
        inputTokens: given("inputTokens"),
        outputTokens: given("outputTokens"),
        firstTokenMs: given("firstTokenMs"),
        durationMs: given("durationMs"),
        outcome: given("outcome"),
        answer: given("answer"),
      })
      .where(and(eq(attempts.id, given("id")), isNull(attempts.endedAt)))
      .prepare(),
    all: page(undefined),
    nextOfUser: db
      .select(numbered)
      .from(attempts)
      .where(and(byUser, sql`${order} > ${cursor}`))
      .orderBy(attempts.createdAt, number)
      .limit(PAGE)
      .prepare(),
    ofUser: page(byUser),
    ofGuild: page(eq(attempts.guildId, given("guildId"))),
    // The plus keeps the guild's index out of it: a member has fewer rows than a guild.
    ofUserInGuild: page(and(byUser, sql`+${attempts.guildId} = ${given("guildId")}`)),
    // `is`: of direct messages there is no guild.
    votes: votes(sql`${attempts.guildId} is ${given("guildId")}`)
      .groupBy(attempts.model)
      .prepare(),
    // In the order of the index, so that nothing is sorted.
    votesByGuild: votes(undefined).groupBy(attempts.guildId, attempts.model).prepare(),
    closeAbandoned: db
      .update(attempts)
      .set({ endedAt: given("now"), outcome: "llm.interrupted" })
      .where(isNull(attempts.endedAt))
      .returning({ id: attempts.id })
      .prepare(),
    drop: db
      .delete(attempts)
      .where(
        sql`rowid in (select rowid from ${attempts} where ${attempts.createdAt} < ${given("before")} order by ${attempts.createdAt} limit ${given("limit")})`,
      )
      .returning({ id: attempts.id })
      .prepare(),
  };

  async function* of(userId: string): AsyncGenerator<AttemptRow> {
    let last = { createdAt: 0, number: 0 };
    for (;;) {
      const page = await run(() => statements.nextOfUser.all({ userId, ...last }));
      for (const { number, ...row } of page) {
        yield row;
        last = { createdAt: row.createdAt, number };
      }
      if (page.length < PAGE) return;
    }
  }

  return {
    of,
    begin: (row) => run(() => statements.begin.run({ ...row })),
    end: (id, end) => run(() => statements.end.run({ id, ...end })),
    list: ({ userId, guildId, before: { createdAt, number } = END, limit }) =>
      run(() => {
        const given = { userId, guildId, createdAt, number, limit };
        if (userId !== undefined && guildId !== undefined) return statements.ofUserInGuild.all(given);
        if (userId !== undefined) return statements.ofUser.all(given);
        if (guildId !== undefined) return statements.ofGuild.all(given);
        return statements.all.all(given);
      }),
    votes: (guildId) =>
      run(() =>
        guildId === undefined ? together(statements.votesByGuild.all()) : statements.votes.all({ guildId }),
      ),
    closeAbandoned: (now) => run(() => statements.closeAbandoned.all({ now }).length),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}

/** One of each model. */
function together(rows: ModelVotes[]): ModelVotes[] {
  const sums = new Map<string, ModelVotes>();
  for (const { model, up, down, answers } of rows) {
    const sum = sums.get(model) ?? { model, up: 0, down: 0, answers: 0 };
    sums.set(model, { model, up: sum.up + up, down: sum.down + down, answers: sum.answers + answers });
  }
  return [...sums.values()];
}
