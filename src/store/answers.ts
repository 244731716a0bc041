import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { AnswerLog } from "../llm/ports.ts";
import type { Connection } from "./connection.ts";
import { answers } from "./schema.ts";
import { given } from "./sql.ts";

/** The rows of answers. They guide a restart and are not synced: after a power cut Discord shows what it has. */
export function createAnswerLog({ db, run }: Connection): AnswerLog {
  const unfinished = and(eq(answers.id, given("id")), isNull(answers.endedAt));
  const statements = {
    insert: db
      .insert(answers)
      .values({
        id: sql.placeholder("id"),
        userId: sql.placeholder("userId"),
        state: "queued",
        model: sql.placeholder("model"),
        place: sql.placeholder("place"),
        createdAt: sql.placeholder("createdAt"),
      })
      .prepare(),
    answering: db.update(answers).set({ state: "answering" }).where(unfinished).prepare(),
    moved: db
      .update(answers)
      .set({ place: sql`json_set(${answers.place}, '$.messageId', ${given("messageId")})` })
      .where(eq(answers.id, given("id")))
      .prepare(),
    // The first end is the end: a Stop that comes with the last word changes nothing.
    end: db
      .update(answers)
      .set({
        state: given("state"),
        endedAt: given("endedAt"),
        inputTokens: given("inputTokens"),
        outputTokens: given("outputTokens"),
        errorCode: given("errorCode"),
      })
      .where(unfinished)
      .prepare(),
    unfinished: db.select().from(answers).where(isNull(answers.endedAt)).orderBy(answers.createdAt).prepare(),
    drop: db
      .delete(answers)
      .where(
        sql`rowid in (select rowid from ${answers} where ${isNotNull(answers.endedAt)} and ${answers.endedAt} < ${given("before")} order by ${answers.endedAt} limit ${given("limit")})`,
      )
      .returning({ id: answers.id })
      .prepare(),
  };

  return {
    insert: (row) => run(() => statements.insert.run({ ...row })),
    answering: (id) => run(() => statements.answering.run({ id })),
    moved: (id, messageId) => run(() => statements.moved.run({ id, messageId })),
    end: (id, { state, endedAt, usage, errorCode = null }) =>
      run(() =>
        statements.end.run({
          id,
          state,
          endedAt,
          inputTokens: usage?.inputTokens ?? null,
          outputTokens: usage?.outputTokens ?? null,
          errorCode,
        }),
      ),
    unfinished: () => run(() => statements.unfinished.all()),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}
