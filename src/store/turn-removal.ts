import { setImmediate as breathe } from "node:timers/promises";
import type { Connection } from "./connection.ts";
import { prepareRemovals } from "./turn-statements.ts";

/** What goes in one transaction, for it holds up the event loop: so many rows, holding about so many bytes. */
const BATCH = 200;
const BATCH_BYTES = 8 * 2 ** 20;

interface Candidate {
  id: string;
  bytes: number;
}

/** Takes turns away, their images and messages with them. Each function gives how many. */
export interface TurnRemoval {
  ofUser(userId: string): Promise<number>;
  /** Those that are shown in a channel and have ended. */
  ofUserIn(channelId: string, userId: string): Promise<number>;
  /** Those that ended before a time, the oldest, at most `limit`. */
  old(before: number, limit: number): Promise<number>;
}

export function createTurnRemoval({ db, keep }: Connection): TurnRemoval {
  const statements = prepareRemovals(db);

  /** Removes the first of `candidates`; gives how many. */
  const removeSome = (candidates: (limit: number) => Candidate[], limit: number) =>
    keep(() =>
      db.transaction(
        () => {
          const ids = light(candidates(Math.min(BATCH, limit)));
          statements.delete.run({ ids: JSON.stringify(ids) });
          return ids.length;
        },
        { behavior: "immediate" },
      ),
    );

  async function remove(candidates: (limit: number) => Candidate[], limit = Infinity): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const some = await removeSome(candidates, limit - removed);
      if (some === 0) break;
      removed += some;
      await breathe();
    }
    return removed;
  }

  return {
    ofUser: (userId) => remove((limit) => statements.ofUser.all({ userId, limit })),
    ofUserIn: (channelId, userId) => remove((limit) => statements.ofUserIn.all({ channelId, userId, limit })),
    old: (before, limit) => remove((limit) => statements.old.all({ before, limit }), limit),
  };
}

/** The first one, and those after it that hold no more than a batch together. */
function light(candidates: Candidate[]): string[] {
  let total = 0;
  const end = candidates.findIndex(({ bytes }, at) => {
    total += bytes;
    return at > 0 && total > BATCH_BYTES;
  });
  return candidates.slice(0, end === -1 ? undefined : end).map(({ id }) => id);
}
