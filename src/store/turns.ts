import type { TurnLog, TurnRow } from "../llm/ports.ts";
import type { Connection } from "./connection.ts";
import { createForget } from "./forget.ts";
import { createTurnRemoval } from "./turn-removal.ts";
import { PAGE, prepareTurns } from "./turn-statements.ts";

/**
 * The rows of turns. How they begin and end is not synced: after a power cut the newest may be missing, and Discord
 * shows what it has. That they are gone is.
 */
export function createTurnLog(connection: Connection): TurnLog {
  const { db, run } = connection;
  const statements = prepareTurns(db);
  const removal = createTurnRemoval(connection);
  const atomically = <T>(work: () => T) => run(() => db.transaction(work, { behavior: "immediate" }));

  async function* of(userId: string): AsyncGenerator<TurnRow> {
    let page = await run(() => statements.firstOfUser.all({ userId }));
    for (;;) {
      yield* page;
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return;
      const { createdAt, id } = last;
      page = await run(() => statements.nextOfUser.all({ userId, createdAt, id }));
    }
  }

  return {
    insert: (row, images) =>
      atomically(() => {
        const { id, place } = row;
        statements.insert.run({ ...row });
        if (place.messageId !== null) statements.showIn.run({ id, messageId: place.messageId });
        for (const [position, bytes] of images.entries()) {
          statements.addImage.run({ turnId: id, position, bytes });
        }
      }),
    answering: (id, model) => run(() => statements.answering.run({ id, model })),
    moved: (id, messageId) =>
      atomically(() => {
        statements.move.run({ id, messageId });
        statements.showIn.run({ id, messageId });
      }),
    end: (id, { errorCode = null, ...end }) => run(() => statements.end.get({ id, ...end, errorCode })),
    unfinished: () => run(() => statements.unfinished.all()),
    find: (id) => run(() => statements.find.get({ id })),
    shownBy: (messageId) => run(() => statements.shownBy.get({ messageId })),
    latest: (conversation) => run(() => statements.latest.get({ conversation })),
    path: (id, { maxTokens, most }) => run(() => statements.path.all({ id, maxTokens, most })),
    images: (turnIds) => run(() => turnIds.flatMap((turnId) => statements.images.all({ turnId }))),
    vote: (id, userId, vote) =>
      atomically(() => {
        if (statements.vote.all({ id, userId, vote }).length === 0) return false;
        statements.voteInHistory.run({ id, vote });
        return true;
      }),
    clear: removal.ofUserIn,
    of,
    forget: createForget(connection, removal),
    drop: removal.old,
  };
}
