import { setImmediate as breathe } from "node:timers/promises";
import { and, eq, isNotNull, not, sql } from "drizzle-orm";
import type { TurnLog } from "../llm/ports.ts";
import type { Connection } from "./connection.ts";
import { attempts, members, personas } from "./schema.ts";
import { given } from "./sql.ts";
import type { TurnRemoval } from "./turn-removal.ts";

/** Attempts that go in one transaction, for it holds up the event loop. */
const BATCH = 500;

/**
 * Erases what the LLM knows of a member. What they chose about their files stays, and so do the personas that they
 * wrote, without their name. The database is written anew each time, whether or not there was something: an earlier
 * time may have been cut off before that.
 */
export function createForget(
  { db, keep, rebuild }: Connection,
  removal: Pick<TurnRemoval, "ofUser">,
): TurnLog["forget"] {
  const byMember = eq(members.id, given("userId"));
  const statements = {
    clearModel: db
      .update(members)
      .set({ model: null })
      .where(and(byMember, isNotNull(members.model)))
      .returning({ id: members.id })
      .prepare(),
    dropMember: db
      .delete(members)
      .where(and(byMember, not(members.remindersOff)))
      .prepare(),
    clearAuthor: db
      .update(personas)
      .set({ authorId: null })
      .where(eq(personas.authorId, given("userId")))
      .prepare(),
    dropAttempts: db
      .delete(attempts)
      .where(
        sql`rowid in (select rowid from ${attempts} where ${attempts.userId} = ${given("userId")} limit ${BATCH})`,
      )
      .returning({ id: attempts.id })
      .prepare(),
  };

  const dropChoices = (userId: string) =>
    keep(() =>
      db.transaction(
        () => {
          const choices = statements.clearModel.all({ userId }).length;
          statements.dropMember.run({ userId });
          statements.clearAuthor.run({ userId });
          return choices;
        },
        { behavior: "immediate" },
      ),
    );

  async function dropAttempts(userId: string): Promise<number> {
    let dropped = 0;
    for (;;) {
      const some = await keep(() => statements.dropAttempts.all({ userId }).length);
      dropped += some;
      if (some < BATCH) return dropped;
      await breathe();
    }
  }

  return async (userId) => {
    const forgotten = {
      turns: await removal.ofUser(userId),
      attempts: await dropAttempts(userId),
      choices: await dropChoices(userId),
    };
    await rebuild();
    return forgotten;
  };
}
