import { isWisError } from "../errors.ts";
import { newCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import { createPseudonyms } from "../lib/pseudonym.ts";
import type { Limits } from "../members/limits.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { AuditTrail } from "./audit.ts";
import type { BlobIndex, BlobStores } from "./blob-ports.ts";
import type { CleanUpReport } from "./clean-up.ts";
import { createDigestCache } from "./digest.ts";
import { createDiskRooms } from "./disk-room.ts";
import {
  countDownload,
  createSessions,
  getFile,
  membersOf,
  openFile,
  openStored,
  presignFile,
  zipOf,
} from "./download.ts";
import { endOf } from "./expiry.ts";
import type { Files } from "./files.ts";
import { keepHot } from "./hot-blobs.ts";
import type { LiveUploads } from "./live-uploads.ts";
import { extendFile, removeFile } from "./manage.ts";
import type { MigrateInput, MigrateReport } from "./migrate.ts";
import { type PaceRules, uploadPace } from "./pace.ts";
import { createDoors } from "./password.ts";
import type { AuditLog, DownloadLog, FileIndex, FileRow, MemberChoices, TokenIndex } from "./ports.ts";
import { tooManyFiles } from "./quota.ts";
import { announceLength, appendTo, beginUpload, cancelUpload, progressOf } from "./resumable.ts";
import { allRows, pageOfShares } from "./rows.ts";
import { closedTicket, openTicket, ticketKey, viewTicket } from "./ticket.ts";
import { mintToken, revokeToken, tokenOf } from "./tokens.ts";
import { closeBundle, uploadDirectly, uploadWithTicket } from "./upload.ts";
import type { VerifyInput, VerifyReport } from "./verify.ts";
import { expectedOf, saysAny, wishesOf } from "./wishes.ts";

export interface FilesDeps {
  index: FileIndex;
  contents: BlobIndex;
  downloads: DownloadLog;
  /** What is noted in `audit` is read from here. */
  auditLog: AuditLog;
  audit: AuditTrail;
  tokens: TokenIndex;
  choices: MemberChoices;
  /** Each as observeBlobs gives it, to be seen in traces. */
  stores: BlobStores;
  /** This process holds the data dir's lock, so that whatever comes through a link comes to it. */
  locked: boolean;
  /** Shared with the clean-up, which must not bury what is alive here. */
  live: LiveUploads;
  limits: Limits["files"];
  /** Bytes that uploads leave free on the disk. */
  minFreeDisk: number;
  /** How long a cut upload can be gone on with, milliseconds. */
  resumeFor: number;
  /** How long an API token that nobody uses stays good, milliseconds. */
  tokenLife: number;
  /** Signs passes and hides addresses: see password.ts and lib/pseudonym.ts. */
  keys: { doors: Buffer; audience: Buffer };
  /** Without a trailing slash. */
  publicUrl: string;
  telemetry: Pick<Telemetry, "span" | "record">;
  metrics: Metrics["files"];
  /** Called when an announcement is owed: the outbox's wake(). */
  wake(): void;
  /** Told how far an upload is. */
  onProgress?(upload: FileRow, received: number): void;
  now: Now;
  paceRules?: PaceRules;
}

/** The file desk as the command line opens it: with what administration needs beyond the rules. */
export interface FileDesk extends AsyncDisposable {
  files: Files;
  verify(input: VerifyInput): Promise<VerifyReport>;
  cleanUp(signal: AbortSignal): Promise<CleanUpReport>;
  migrate(input: MigrateInput): Promise<MigrateReport>;
}

/** The file desk: the rules of tickets, uploads, downloads, quotas and expiry over an index and blob stores. */
export function createFiles(given: FilesDeps): Files {
  const { index, limits, now, publicUrl, choices, auditLog, audit } = given;
  const doors = createDoors({ key: given.keys.doors, now });
  const deps = {
    ...given,
    rooms: createDiskRooms(given),
    digests: createDigestCache(),
    audience: createPseudonyms(given.keys.audience),
    open: keepHot({ open: openStored(given), now }),
    sessions: createSessions(given),
    onProgress: given.onProgress ?? (() => {}),
    paceRules: given.paceRules ?? uploadPace,
  };
  const { audience } = deps;

  return {
    async issue({ ownerId, asker = null, origin = null }) {
      const [fileId, ticket, createdAt] = [newCapability(), newCapability(), now()];
      const own = limits({ ownerId, asker });
      if (asker) await given.tokens.refresh(ownerId, asker);
      const expiresAt = endOf(createdAt, own.linkExpiresAfter);
      const row = { id: fileId, ownerId, asker, origin, createdAt, linkExpiresAt: expiresAt };
      const empty = { name: null, contentType: null, size: 0, length: null, uploadKey: null };
      const inserted = await index.insert({ ...row, ...empty, ticketHash: ticketKey(ticket) }, own);
      if (!inserted) throw tooManyFiles(own);
      return { fileId, url: `${publicUrl}/u/${ticket}`, expiresAt, limits: own };
    },
    inspect: (ticket) => viewTicket(deps, ticket),
    async prepare(ticket, sharing) {
      await openTicket(deps, ticket);
      const wishes = saysAny(sharing) ? await wishesOf(sharing) : undefined;
      const share = { expected: expectedOf(sharing), wishes };
      if (await index.prepare(ticketKey(ticket), share, now())) return;
      await openTicket(deps, ticket);
      throw closedTicket({ state: "busy" });
    },
    upload: (ticket, incoming) => uploadWithTicket(deps, ticket, incoming),
    add: (input, incoming) => uploadDirectly(deps, input, incoming),

    begin: (ticket, incoming) => beginUpload(deps, ticket, incoming),
    progress: (key) => progressOf(deps, key),
    announce: (key, length) => announceLength(deps, key, length),
    append: (key, offset, incoming) => appendTo(deps, key, offset, incoming),
    cancel: (key) => cancelUpload(deps, key),
    close: (ticket) => closeBundle(deps, ticket),

    get: (id) => getFile(deps, id),
    members: (bundle) => membersOf(deps, bundle),
    open: (file, range) => openFile(deps, file, range),
    zip: (bundle) => zipOf(deps, bundle),
    presigns: deps.stores.presigns,
    presign: (file, disposition) => presignFile(deps, file, disposition),
    async unlock(file, password, client) {
      try {
        return await doors.unlock({ ...file, id: file.shareId }, password);
      } catch (error) {
        if (isWisError(error, "password.wrong")) audit.note(file, "refused", audience(client));
        throw error;
      }
    },
    admits: (file, passes) => doors.admits({ ...file, id: file.shareId }, passes),
    download: (file, client) => countDownload(deps, file, client),
    viewed: (file, client) => audit.note(file, "viewed", audience(client)),

    list: (filter) => allRows(index, filter),
    page: (ownerId, input) => pageOfShares(deps, ownerId, input),
    usage: (ownerId) => index.usage(ownerId),
    nextExpiry: (ownerId) => index.nextExpiry(ownerId, now()),
    limits: (ownerId, asker) => limits({ ownerId, asker }),
    extend: (id, by, expireAfter) => extendFile(deps, id, by, expireAfter),
    remove: (id, by) => removeFile(deps, id, by),
    async audit(input) {
      await audit.flush();
      return await auditLog.list(input);
    },

    mintToken: (input) => mintToken(deps, input),
    tokens: (ownerId) => given.tokens.list(ownerId),
    tokenOf: (secret) => tokenOf(deps, secret),
    revokeToken: (id, by) => revokeToken(deps, id, by),
    reminders: (ownerId) => choices.reminders(ownerId),
    setReminders: (ownerId, on) => choices.setReminders(ownerId, on),
  };
}
