import { eq } from "drizzle-orm";
import type { MemberChoices } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { members } from "./schema.ts";
import { given } from "./sql.ts";

/** What members have chosen. */
export function createMemberChoices({ db, run, keep }: Connection): MemberChoices {
  const set = db
    .insert(members)
    .values({ id: given("id"), remindersOff: given("off") })
    .onConflictDoUpdate({ target: members.id, set: { remindersOff: given("off") } })
    .prepare();
  const get = db
    .select({ off: members.remindersOff })
    .from(members)
    .where(eq(members.id, given("id")))
    .prepare();

  return {
    setReminders: (id, on) => keep(() => void set.run({ id, off: on ? 0 : 1 })),
    reminders: (id) => run(() => get.get({ id })?.off !== true),
  };
}
