import { WisError } from "../errors.ts";
import { abbreviate } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import { createFingerprint } from "../lib/fingerprint.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { AuditTrail } from "./audit.ts";
import type { BlobIndex, BlobStores } from "./blob-ports.ts";
import { zipEntries } from "./bundle.ts";
import type { OpenBlob } from "./hot-blobs.ts";
import type { DownloadLog, FileIndex, StoredFile } from "./ports.ts";
import { storedFile } from "./stored.ts";
import { isCapability } from "./ticket.ts";
import { layoutZip, readZip, type ZipLayout } from "./zip.ts";

export interface DownloadDeps {
  index: Pick<FileIndex, "find" | "members">;
  contents: Pick<BlobIndex, "find">;
  stores: BlobStores;
  /** openStored, with what is asked for again and again in memory. */
  open: OpenBlob;
  downloads: Pick<DownloadLog, "begin">;
  sessions: Sessions;
  audit: Pick<AuditTrail, "note">;
  /** See lib/pseudonym.ts. */
  audience(client: string): string;
  telemetry: Pick<Telemetry, "record">;
  publicUrl: string;
  now: Now;
}

/** A ready, unexpired file or bundle, even when the clean-up has not come by yet. Throws WisError `file.unknown`. */
export async function getFile(
  { index, publicUrl, now }: Pick<DownloadDeps, "publicUrl" | "now"> & { index: Pick<FileIndex, "find"> },
  id: string,
): Promise<StoredFile> {
  const row = isCapability(id) ? await index.find(id) : undefined;
  const file = storedFile(row, now(), publicUrl);
  if (!file) throw unknownFile();
  if (file.shareId === file.id) return file;
  // Its bundle's limits are its own: nobody gets at a file past the password of what it was shared in.
  const share = storedFile(await index.find(file.shareId), now(), publicUrl);
  if (!share) throw unknownFile();
  const { passwordHash, maxDownloads, downloads } = share;
  return { ...file, passwordHash, maxDownloads, downloads };
}

/** The files of a bundle: see Files.members. */
export async function membersOf(
  { index, publicUrl, now }: Pick<DownloadDeps, "index" | "publicUrl" | "now">,
  bundle: StoredFile,
): Promise<StoredFile[]> {
  const members = await index.members(bundle.id);
  return members.flatMap(({ row }) => storedFile(row, now(), publicUrl) ?? []);
}

/** The bytes: see Files.open. */
export async function openFile(
  deps: DownloadDeps,
  file: StoredFile,
  range?: { start: number; end: number },
): Promise<Blob> {
  const { blobKey: key, size } = file;
  const blob = key === null ? undefined : await deps.open({ key, size }, range);
  const expected = range ? range.end - range.start + 1 : file.size;
  if (blob?.size === expected) return blob;
  // Removed between `get` and now: that is no damage.
  const found = await getFile(deps, file.id);
  // Whoever sent the same bytes has replaced the damaged ones since.
  if (found.blobKey !== key) return await openFile(deps, found, range);
  throw damaged(
    new Error(`blob of ${abbreviate(file.id)} has ${blob?.size ?? "no"} bytes instead of ${expected}`),
  );
}

/** Opens a blob in the store that has it. */
export function openStored({ contents, stores }: Pick<DownloadDeps, "contents" | "stores">): OpenBlob {
  return async ({ key }, range) => {
    const row = await contents.find(key);
    const blob = row && (await stores.at(row.place).open(key, range));
    if (blob || !row) return blob;
    // Moved to another store since it was looked up.
    const place = (await contents.find(key))?.place;
    return place && place !== row.place ? await stores.at(place).open(key, range) : undefined;
  };
}

/** Where the store itself gives the bytes out, if it does: see Files.presign. */
export async function presignFile(
  { contents, stores }: Pick<DownloadDeps, "contents" | "stores">,
  { blobKey, contentType }: StoredFile,
  disposition: string,
): Promise<string | undefined> {
  const row = blobKey === null ? undefined : await contents.find(blobKey);
  return (
    row && stores.at(row.place).presign(row.key, { disposition, contentType, expiresInSeconds: PRESIGNED_S })
  );
}

/** Long enough for a slow start, too short to be passed on. */
const PRESIGNED_S = 300;

/** A bundle as one file whose every byte is known before any is read. */
export interface Zip extends Pick<ZipLayout, "size" | "etag"> {
  /** The bytes `start` to `end` inclusive. */
  read(range: { start: number; end: number }, signal: AbortSignal): ReadableStream<Uint8Array>;
}

/** A bundle as one file: see Files.zip. */
export async function zipOf(
  { index, contents, stores, telemetry }: Pick<DownloadDeps, "index" | "contents" | "stores" | "telemetry">,
  bundle: StoredFile,
): Promise<Zip> {
  const members = await index.members(bundle.id);
  const places = new Map(members.flatMap(({ blob }) => (blob ? [[blob.key, blob.place]] : [])));
  const layout = layoutZip(zipEntries(members));
  const openMoved = openStored({ contents, stores });
  const open = async (key: string, range?: { start: number; end: number }) =>
    (await stores.at(places.get(key) ?? stores.place).open(key, range)) ??
    (await openMoved({ key, size: 0 }, range));
  const onFailure = (error: unknown) => void telemetry.record(error, "reading a bundle");
  return {
    size: layout.size,
    etag: layout.etag,
    // What breaks in the middle of an answer only breaks the connection: nobody else hears why.
    read: (range, signal) => readZip(layout, range, open, signal, onFailure),
  };
}

/** A download goes on in its session as long as no more than this lies between two requests: a night's outage. */
const SESSION_LIFE = 12 * 60 * 60_000;

/** Sessions known to be going on. */
export interface Sessions {
  /** Whether it was begun or gone on with in the last minute. */
  isGoingOn(shareId: string, client: string): boolean;
  goesOn(shareId: string, client: string): void;
}

/** How far the index may be behind with when a session went on last, milliseconds: next to nothing of its life. */
const BEHIND_MS = 60_000;
/** More sessions than that at a time ask the index more often. */
const MAX_SESSIONS = 10_000;

/** Spares the index a write for every request of a session that it has just heard of: a film is hundreds. */
export function createSessions({ now }: Pick<DownloadDeps, "now">): Sessions {
  const known = new Map<bigint, number>();
  const fingerprint = createFingerprint();
  // Not the name that the index has for them: to make that takes as long as all else that a small download needs.
  const nameOf = (shareId: string, client: string) => fingerprint(`${shareId} ${client}`);
  return {
    isGoingOn(shareId, client) {
      const at = known.get(nameOf(shareId, client));
      return at !== undefined && now() - at < BEHIND_MS;
    },
    goesOn(shareId, client) {
      const name = nameOf(shareId, client);
      known.delete(name);
      known.set(name, now());
      for (const [oldest, at] of known) {
        if (known.size <= MAX_SESSIONS && now() - at < BEHIND_MS) return;
        known.delete(oldest);
      }
    },
  };
}

/** Counts a download: see Files.download. */
export async function countDownload(
  deps: Pick<DownloadDeps, "downloads" | "audit" | "audience" | "sessions" | "now">,
  file: StoredFile,
  client: string,
): Promise<void> {
  const { downloads, audit, audience, sessions, now } = deps;
  if (sessions.isGoingOn(file.shareId, client)) return;
  const who = audience(client);
  const at = now();
  const session = { fileId: file.shareId, who, now: at, since: at - SESSION_LIFE };
  const begun = await downloads.begin(session);
  if (begun === "gone") throw unknownFile();
  if (begun !== "spent") sessions.goesOn(file.shareId, client);
  if (begun === "again") return;
  audit.note(file, begun === "new" ? "downloaded" : "refused", who);
  if (begun === "spent") throw spent();
}

export function unknownFile(): WisError {
  return new WisError("file.unknown", {
    say: "There is no such file. It may have expired or been deleted.",
    hint: "Check the link, or ask whoever sent it to upload the file again.",
  });
}

function damaged(cause: Error): WisError {
  return new WisError("file.corrupt", {
    say: "The stored file is damaged, so it can't be downloaded.",
    hint: "Ask its owner to upload it again, and tell the admin.",
    cause,
  });
}

function spent(): WisError {
  return new WisError("file.spent", {
    say: "This link has been downloaded as often as its sender allows.",
    hint: "Ask whoever sent it for a new one.",
  });
}
