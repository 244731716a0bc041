import { newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { FileLimits } from "../members/limits.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { CleanUpReport } from "./clean-up.ts";
import { createDiskRooms } from "./disk-room.ts";
import { getFile, openFile } from "./download.ts";
import { endOf } from "./expiry.ts";
import type { Files } from "./files.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { extendFile, removeFile } from "./manage.ts";
import { type PaceRules, uploadPace } from "./pace.ts";
import type { BlobStore, FileIndex } from "./ports.ts";
import { tooManyFiles } from "./quota.ts";
import { allRows } from "./rows.ts";
import { ticketKey, viewTicket } from "./ticket.ts";
import { uploadDirectly, uploadWithTicket } from "./upload.ts";
import type { VerifyInput, VerifyReport } from "./verify.ts";

export interface FilesDeps {
  index: FileIndex;
  /** As observeBlobs gives it, to be seen in traces. */
  blobs: BlobStore;
  /** Shared with the clean-up, which must not bury what is alive here. */
  live: LiveUploads;
  limits: FileLimits;
  /** Bytes that uploads leave free on the disk. */
  minFreeDisk: number;
  /** Without a trailing slash. */
  publicUrl: string;
  telemetry: Pick<Telemetry, "span" | "record">;
  metrics: Metrics["files"];
  /** Called when an announcement is owed: the outbox's wake(). */
  wake(): void;
  now: Now;
  paceRules?: PaceRules;
}

/** The file desk as the command line opens it: with what administration needs beyond the rules. */
export interface FileDesk extends AsyncDisposable {
  files: Files;
  verify(input: VerifyInput): Promise<VerifyReport>;
  cleanUp(signal: AbortSignal): Promise<CleanUpReport>;
}

/** The file desk: the rules of tickets, uploads, downloads, quotas and expiry over an index and a blob store. */
export function createFiles(given: FilesDeps): Files {
  const { index, limits, metrics, now, publicUrl } = given;
  const deps = { ...given, rooms: createDiskRooms(given), paceRules: given.paceRules ?? uploadPace };

  return {
    async issue({ ownerId, origin }) {
      const [fileId, ticket, createdAt] = [newCapability(), newCapability(), now()];
      const expiresAt = endOf(createdAt, limits.linkExpiresAfter);
      const row = { id: fileId, ownerId, name: null, size: 0, origin: origin ?? null, createdAt };
      const inserted = await index.insert(
        { ...row, linkExpiresAt: expiresAt, ticketHash: ticketKey(ticket), claimed: false },
        limits,
      );
      if (!inserted) throw tooManyFiles(limits);
      return { fileId, url: `${publicUrl}/u/${ticket}`, expiresAt, limits };
    },
    inspect: (ticket) => viewTicket(deps, ticket),
    upload: (ticket, incoming) => uploadWithTicket(deps, ticket, incoming),
    add: (input, incoming) => uploadDirectly(deps, input, incoming),
    get: (id) => getFile(deps, id),
    open: (file, range) => openFile(deps, file, range),
    list: (filter) => allRows(index, filter),
    usage: (ownerId) => index.usage(ownerId),
    limits: () => limits,
    extend: (id, by, expireAfter) => extendFile(deps, id, by, expireAfter),
    async remove(id, by) {
      const { size } = await removeFile(deps, id, by);
      metrics.deleted.add(1, { reason: "removed" });
      metrics.deletedBytes.add(size, { reason: "removed" });
    },
  };
}
