import type { FileIndex, FileRow, NewFile, Wishes } from "../files/ports.ts";
import { announcementRow } from "./announcements.ts";
import type { Connection } from "./connection.ts";
import { createFilePages } from "./file-pages.ts";
import { prepareFileStatements } from "./file-statements.ts";
import type { blobs, files } from "./schema.ts";
import type { Row } from "./sql.ts";

const noWishes: Wishes = {
  title: null,
  note: null,
  passwordHash: null,
  maxDownloads: null,
  expireAfter: null,
};

/** A row as it begins. */
function freshRow({ origin, asker, uploadKey, ...given }: NewFile) {
  return {
    ...noWishes,
    ...given,
    uploadKey,
    state: uploadKey === null ? "pending" : "uploading",
    origin: origin && JSON.stringify(origin),
    asker: asker && JSON.stringify(asker),
    sha256: null,
    readyAt: null,
    expiresAt: null,
    aliveAt: uploadKey === null ? null : given.createdAt,
    resumeUntil: null,
    parentId: null,
    expected: null,
    path: null,
    blobKey: null,
    downloads: 0,
    bundleBytes: null,
    remindedAt: null,
  } satisfies Row<typeof files>;
}

/**
 * The rows of files, and the tombstones of their tickets. What a person or a deletion of bytes relies on is synced
 * before it is answered (`keep`); what the repair would find again (claims, heartbeats, a finished deletion) is not.
 */
export function createFileIndex({ db, run, keep }: Connection): FileIndex {
  const statements = prepareFileStatements(db);
  const pages = createFilePages(db);
  const atOnce = <T>(work: () => T) => db.transaction(work, { behavior: "immediate" });

  return {
    insert: (row, { maxFiles, maxBytes }) =>
      keep(() => {
        // A link weighs nothing: it is let in however full its owner is.
        const limits = { maxFiles, maxBytes: row.uploadKey === null ? Number.MAX_SAFE_INTEGER : maxBytes };
        return statements.insert.all({ ...freshRow(row), ...limits }).length === 1;
      }),
    prepare: (ticketHash, { expected, wishes }, now) =>
      keep(() => {
        const said = wishes ?? noWishes;
        const share = { ticketHash, expected, ...said, said: wishes ? 1 : 0, now };
        return statements.prepare.all(share).length === 1;
      }),
    claim: (input) => run(() => statements.claim.get({ ...input })),
    takeOver: (input) => run(() => statements.takeOver.get({ ...input })),
    join: ({
      id,
      path,
      ticketHash,
      name,
      contentType,
      size,
      uploadKey,
      length,
      resumeUntil,
      maxBytes,
      now,
    }) =>
      run(() => {
        const place = { id, ownerId: "", name, contentType, size, uploadKey, length, createdAt: now };
        const row = freshRow({ ...place, origin: null, asker: null, ticketHash: null, linkExpiresAt: null });
        return statements.join.get({ ...row, path, resumeUntil, bundleTicket: ticketHash, maxBytes, now });
      }),
    reserve: (id, size, maxBytes) => run(() => statements.reserve.all({ id, size, maxBytes }).length === 1),
    announce: (id, length) => run(() => statements.announce.all({ id, length }).length === 1),
    release: (ids, silentSince = Number.MAX_SAFE_INTEGER) =>
      run(() =>
        atOnce(() => {
          const which = { ids: JSON.stringify(ids), silentSince };
          const released = statements.released.all(which);
          statements.reopen.run(which);
          statements.dropUnlinked.run(which);
          return released.flatMap(({ uploadKey }) => uploadKey ?? []);
        }),
      ),
    finish: ({ id, uploadKey }, { crc32, place, ...arrived }, announcement) =>
      keep(() =>
        atOnce((): FileRow | "withdrawn" | "unstored" => {
          const upload = statements.find.get({ id });
          if (upload?.state !== "uploading" || uploadKey === null) return "withdrawn";
          // A link that was given back may be another upload's by now.
          if (upload.uploadKey !== uploadKey) return "withdrawn";
          const { sha256, size, readyAt } = arrived;
          const same = statements.sameContent.get({ sha256, size });
          if (!same && place === undefined) return "unstored";
          if (same) statements.learnChecksum.run({ key: same.key, crc32 });
          else {
            statements.store.run({
              key: uploadKey,
              sha256,
              size,
              crc32,
              place: place ?? null,
              state: "live",
              createdAt: readyAt,
              checkedAt: readyAt,
            } satisfies Row<typeof blobs>);
            const content = { sha256, size };
            statements.replace.run({ ...content, key: uploadKey });
            statements.retireReplaced.run(content);
          }
          const row = statements.finish.get({ id, ...arrived, blobKey: same?.key ?? uploadKey });
          if (!row) return "withdrawn";
          if (announcement) statements.owe.run(announcementRow(announcement));
          return row;
        }),
      ),
    seal: (id, bundle, announcement) =>
      keep(() =>
        atOnce((): FileRow | undefined => {
          const row = statements.seal.get({ id, ...bundle });
          if (!row) return undefined;
          statements.sealMembers.run({ id, expiresAt: bundle.expiresAt });
          if (announcement) statements.owe.run(announcementRow(announcement));
          return row;
        }),
      ),
    unwrap: (id, { memberId, readyAt, expiresAt }, announcement) =>
      keep(() =>
        atOnce((): FileRow | undefined => {
          if (!statements.isLone.get({ id })) return undefined;
          const member = statements.dropMember.get({ id, memberId });
          if (!member) return undefined;
          const { name, size, contentType, sha256, uploadKey, length, blobKey } = member;
          const bytes = { name, size, contentType, sha256, uploadKey, length, blobKey };
          const row = statements.unwrap.get({ id, ...bytes, readyAt, expiresAt });
          if (announcement) statements.owe.run(announcementRow(announcement));
          return row;
        }),
      ),
    find: (id) => run(() => statements.find.get({ id })),
    // A row turns into its tombstone in one transaction: looked for in this order, one of the two is there.
    findByTicket: (ticketHash) =>
      run(() => statements.findByTicket.get({ ticketHash }) ?? statements.findTombstone.get({ ticketHash })),
    findByUpload: (uploadKey) => run(() => statements.findByUpload.get({ uploadKey })),
    members: (parentId) => run(() => statements.members.all({ parentId })),
    membersAt: (parentId, path) => run(() => statements.membersAt.all({ parentId, path })),
    isWhole: (id) => run(() => statements.isWhole.get({ id }) !== undefined),
    nextExpiry: (ownerId, now) =>
      run(() => {
        const found = statements.nextExpiry.get({ ownerId, now });
        return found?.next ?? (typeof found?.first === "number" ? now : undefined);
      }),
    usage: (ownerId) => run(() => statements.usage.get({ ownerId }) ?? { files: 0, bytes: 0 }),
    list: (input) => run(() => pages.read(input)),
    setExpiry: (id, expiresAt) =>
      keep(() =>
        atOnce(() => {
          if (statements.setExpiry.all({ id, expiresAt }).length === 0) return false;
          statements.sealMembers.run({ id, expiresAt });
          return true;
        }),
      ),
    markDeleting: (id, silentSince = 0) =>
      keep(() =>
        atOnce(() => {
          if (statements.markDeleting.all({ id, silentSince }).length === 0) return false;
          statements.markMembersOf.run({ id });
          return true;
        }),
      ),
    markExpired: (now, limit) => keep(() => statements.markExpired.all({ now, limit })),
    markMembers: (limit) => keep(() => statements.markMembers.all({ limit })),
    overdueBundles: (now, limit) => run(() => statements.overdue.all({ now, limit })),
    deleting: (limit) => run(() => statements.deleting.all({ limit })),
    // Not synced: the rows are durably `deleting`, so that the repair retires their blobs again before an upload
    // could share them; and whatever is synced later takes this along.
    retire: (ids) =>
      run(() =>
        atOnce(() => {
          statements.retire.run({ ids: JSON.stringify(ids) });
          return statements.retired.all({ ids: JSON.stringify(ids) });
        }),
      ),
    remove: (ids, now) =>
      run(() =>
        atOnce(() => {
          const which = { ids: JSON.stringify(ids) };
          const keys = statements.blobsOf.all(which).flatMap(({ key }) => key ?? []);
          const bundles = statements.bundlesOf.all(which).flatMap(({ id }) => id ?? []);
          for (const some of [which, { ids: JSON.stringify([...new Set(bundles)]) }]) {
            statements.bury.run({ ...some, now });
            statements.remove.run(some);
          }
          statements.forget.run({ keys: JSON.stringify(keys) });
        }),
      ),
    abandoned: (before, now, limit) => run(() => statements.abandoned.all({ before, now, limit })),
    touch: (ids, now, resumeFor) =>
      run(() =>
        atOnce(() => {
          const which = { ids: JSON.stringify(ids), now, resumeUntil: now + resumeFor };
          statements.touch.run(which);
          statements.touchBundles.run(which);
        }),
      ),
    remind: ({ lead, now, limit, newId }) =>
      keep(() =>
        atOnce(() => {
          const rows = statements.remind.all({ lead, now, limit });
          for (const { id: fileId, ownerId, origin } of rows) {
            const owed = {
              id: newId(),
              kind: "file.expiring" as const,
              fileId,
              ownerId,
              origin,
              createdAt: now,
            };
            statements.owe.run(announcementRow(owed));
          }
          return rows.length;
        }),
      ),
    dropTombstones: (before, limit) => run(() => statements.dropTombstones.all({ before, limit }).length),
  };
}
