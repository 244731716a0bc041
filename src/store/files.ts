import type { FileIndex, FileRow } from "../files/ports.ts";
import { announcementRow } from "./announcements.ts";
import type { Connection } from "./connection.ts";
import { createFilePages } from "./file-pages.ts";
import { prepareFileStatements } from "./file-statements.ts";
import type { files } from "./schema.ts";
import type { Row } from "./sql.ts";

/**
 * The rows of files, and the tombstones of their tickets. What a person or a deletion of bytes relies on is synced
 * before it is answered (`keep`); what the repair would find again (claims, heartbeats, a finished deletion) is not.
 */
export function createFileIndex({ db, run, keep }: Connection): FileIndex {
  const statements = prepareFileStatements(db);
  const pages = createFilePages(db);
  const atOnce = <T>(work: () => T) => db.transaction(work, { behavior: "immediate" });

  return {
    insert: ({ claimed, origin, ...row }, { maxFiles, maxBytes }) =>
      keep(() => {
        const fresh = {
          ...row,
          state: claimed ? "uploading" : "pending",
          origin: origin && JSON.stringify(origin),
          contentType: null,
          sha256: null,
          readyAt: null,
          expiresAt: null,
          aliveAt: claimed ? row.createdAt : null,
        } satisfies Row<typeof files>;
        const inserted = statements.insert.all({
          ...fresh,
          maxFiles,
          // A link weighs nothing: it is let in however full its owner is.
          maxBytes: claimed ? maxBytes : Number.MAX_SAFE_INTEGER,
        });
        return inserted.length === 1;
      }),
    claim: (input) => run(() => statements.claim.get(input)),
    reserve: (id, size, maxBytes) => run(() => statements.reserve.all({ id, size, maxBytes }).length === 1),
    release: (ids) =>
      run(() =>
        atOnce(() => {
          statements.reopen.run({ ids: JSON.stringify(ids) });
          statements.dropUnlinked.run({ ids: JSON.stringify(ids) });
        }),
      ),
    finish: (id, done, announcement) =>
      keep(() =>
        atOnce((): FileRow | undefined => {
          const row = statements.finish.get({ id, ...done });
          if (row && announcement) statements.owe.run(announcementRow(announcement));
          return row;
        }),
      ),
    find: (id) => run(() => statements.find.get({ id })),
    // A row turns into its tombstone in one transaction: looked for in this order, one of the two is there.
    findByTicket: (ticketHash) =>
      run(() => statements.findByTicket.get({ ticketHash }) ?? statements.findTombstone.get({ ticketHash })),
    usage: (ownerId) => run(() => statements.usage.get({ ownerId }) ?? { files: 0, bytes: 0 }),
    list: (input) => run(() => pages.read(input)),
    setExpiry: (id, expiresAt) => keep(() => statements.setExpiry.all({ id, expiresAt }).length === 1),
    markDeleting: (id) => keep(() => statements.markDeleting.all({ id }).length === 1),
    markExpired: (now, limit) => keep(() => statements.markExpired.all({ now, limit })),
    deleting: (limit) => run(() => statements.deleting.all({ limit })),
    remove: (ids, now) =>
      run(() =>
        atOnce(() => {
          statements.bury.run({ ids: JSON.stringify(ids), now });
          statements.remove.run({ ids: JSON.stringify(ids) });
        }),
      ),
    abandoned: (before, limit) => run(() => statements.abandoned.all({ before, limit })),
    touch: (ids, now) => run(() => statements.touch.run({ ids: JSON.stringify(ids), now })),
    dropTombstones: (before, limit) => run(() => statements.dropTombstones.all({ before, limit }).length),
  };
}
