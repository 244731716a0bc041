import { WisError } from "../errors.ts";
import { createAllowance } from "./allowance.ts";
import type { BlobWriter } from "./blob-ports.ts";
import { sealWhenWhole } from "./bundle.ts";
import { createDigest, type Digest, type DigestCache, digestOf } from "./digest.ts";
import { dropBytes } from "./drop-bytes.ts";
import { endOf } from "./expiry.ts";
import type { Incoming, Resumable } from "./files.ts";
import { type PlaceDeps, refuseTooLarge, takePlace, takeRoom } from "./place.ts";
import type { FileIndex, FileRow, StoredFile } from "./ports.ts";
import { createSink, pour } from "./pour.ts";
import { tooManyBytes } from "./quota.ts";
import { leftover, type ReceiveDeps, settle, watchSender } from "./receive.ts";
import { storedFile } from "./stored.ts";
import { isCapability, receivedOf } from "./ticket.ts";
import { alreadyFinished, beingSent, unknownUpload, wrongOffset } from "./upload-errors.ts";
import { uploadKeyOf } from "./upload-key.ts";

export type ResumableDeps = ReceiveDeps &
  PlaceDeps & {
    index: Pick<FileIndex, "findByUpload" | "announce" | "touch">;
    digests: DigestCache;
    /** How long a cut upload can be gone on with, milliseconds. */
    resumeFor: number;
  };

/** Begins an upload that may be cut and gone on with: see Files.begin. */
export async function beginUpload(
  deps: ResumableDeps,
  ticket: string,
  incoming: Pick<Incoming, "name" | "path" | "contentType" | "length">,
): Promise<Resumable> {
  const { index, stores, now, resumeFor } = deps;
  // Only asked whether there is room: it is promised to the bytes when they come.
  using _ = await takeRoom(deps, ticket, incoming);
  const row = await takePlace(deps, ticket, { ...incoming, resumeUntil: endOf(now(), resumeFor) });
  const key = uploadKeyOf(row);
  try {
    const writer = await stores.at(stores.place).create(key);
    await writer.close();
    // Its bundle waits as long as it may be gone on with.
    if (row.parentId !== null) await index.touch([row.id], now(), resumeFor);
    if (row.length === 0) return await progressOf(deps, key);
    return { key, length: row.length ?? undefined, received: 0, file: undefined };
  } catch (error) {
    await dropBytes(stores, await index.release([row.id]));
    throw error;
  }
}

/**
 * How far an upload is: see Files.progress. One whose bytes are all here, but that something kept from becoming a
 * file, becomes one now.
 */
export async function progressOf(deps: ResumableDeps, key: string): Promise<Resumable> {
  const row = await findUpload(deps, key);
  if (row.state === "ready") return await finished(deps, row);
  const received = await receivedOf(deps.stores, key);
  // What ended between the two looks has its bytes elsewhere.
  if ((await findUpload(deps, key)).state === "ready") return await progressOf(deps, key);
  const lacksOnlyItsEnd = received === row.length && !deps.live.has(row.id);
  const file = lacksOnlyItsEnd ? await complete(deps, key, row.id) : undefined;
  return { key, length: row.length ?? undefined, received, file };
}

/** Takes the bytes from `offset` on: see Files.append. */
export async function appendTo(
  deps: ResumableDeps,
  key: string,
  offset: number,
  { body, signal }: Pick<Incoming, "body" | "signal">,
): Promise<Resumable> {
  const { index, live, rooms, now, resumeFor } = deps;
  const row = await findUpload(deps, key);
  if (row.state === "ready") throw alreadyFinished();
  if (live.has(row.id)) throw beingSent();
  using watch = watchSender(deps, row, signal);
  const { writer, digest } = await goOn(deps, key, offset, watch.signal);
  let isWhole = false;
  try {
    using room = await rooms.take(Math.max((row.length ?? 0) - offset, 0));
    const limits = deps.limits(row);
    const { admit, bound } = createAllowance(deps, { row, limits, room, received: offset });
    const sink = createSink({ writer, digest, admit, onProgress: (bytes) => deps.onProgress(row, bytes) });
    try {
      const { pace, signal } = watch;
      await pour({ body, sink, signal, pace, now, bound, onLeftover: leftover(deps.telemetry) });
    } finally {
      // What arrived before a cut stays: the sender goes on behind it.
      await sink.flush();
    }
    const length = (await findUpload(deps, key)).length ?? undefined;
    const received = digest.size;
    isWhole = received === length;
    const file = isWhole ? await settle(deps, { row, by: row.ownerId, writer, digest }) : undefined;
    return { key, length, received, file };
  } finally {
    await writer.close();
    if (!isWhole) deps.digests.put(key, digest);
    await index.touch([row.id], now(), resumeFor);
  }
}

/** Says how long an upload is that began without a length: see Files.announce. */
export async function announceLength(deps: ResumableDeps, key: string, length: number): Promise<void> {
  const { index, stores } = deps;
  const row = await findUpload(deps, key);
  const limits = deps.limits(row);
  refuseTooLarge({ length }, limits);
  if (row.length === length) return;
  if (row.length !== null || length < (await receivedOf(stores, key))) throw lyingLength();
  if (!(await index.reserve(row.id, length, limits.maxBytes))) {
    throw tooManyBytes(await index.usage(row.ownerId), limits);
  }
  if (!(await index.announce(row.id, length))) throw lyingLength();
}

function lyingLength(): WisError {
  return new WisError("upload.length_mismatch", {
    say: "The length of this upload was announced before and differently, or more than that is here.",
    hint: "Send the file again from its start.",
  });
}

/** Takes an unfinished upload away: see Files.cancel. */
export async function cancelUpload(deps: ResumableDeps, key: string): Promise<void> {
  const row = await findUpload(deps, key);
  if (row.state === "ready") throw alreadyFinished();
  deps.digests.drop(key);
  await dropBytes(deps.stores, await deps.index.release([row.id]));
}

async function findUpload({ index, now }: ResumableDeps, key: string): Promise<FileRow> {
  const row = isCapability(key) ? await index.findByUpload(key) : undefined;
  const isOpen = row?.state === "uploading" && row.resumeUntil !== null && row.resumeUntil > now();
  if (!row || !(isOpen || row.state === "ready")) throw unknownUpload();
  return row;
}

/** Opens an unfinished upload behind `offset`, with the digest of what is there. */
async function goOn(
  { stores, digests }: ResumableDeps,
  key: string,
  offset: number,
  signal: AbortSignal,
): Promise<{ writer: BlobWriter; digest: Digest }> {
  const store = stores.at(stores.place);
  const opened = await store.resume(key);
  if (!opened) throw unknownUpload();
  const { writer, size } = opened;
  try {
    if (size !== offset) throw wrongOffset(size, offset);
    const known = size === 0 ? createDigest() : digests.take(key, size);
    const bytes = known ? undefined : await store.unfinished(key);
    const digest = known ?? (await digestOf(bytes ?? new Blob(), { signal }));
    return { writer, digest };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Makes an upload a file whose bytes are all here: read again, since nobody remembers their digest. */
async function complete(deps: ResumableDeps, key: string, id: string): Promise<StoredFile | undefined> {
  using _ = deps.live.enter({ id, tooSlow: () => false, cut() {} });
  // Whoever asked at the same time may have done it.
  const row = await findUpload(deps, key);
  if (row.state === "ready") return (await finished(deps, row)).file;
  const store = deps.stores.at(deps.stores.place);
  const opened = await store.resume(key);
  try {
    const bytes = opened ? await store.unfinished(key) : await store.open(key);
    if (!bytes) throw unknownUpload();
    const digest = await digestOf(bytes, { signal: new AbortController().signal });
    return await settle(deps, { row, by: row.ownerId, writer: opened?.writer, digest });
  } finally {
    await opened?.writer.close();
  }
}

async function finished(deps: ResumableDeps, row: FileRow): Promise<Resumable> {
  const { publicUrl, index, now } = deps;
  const share = row.parentId === null ? row : await index.find(row.parentId);
  // A process may have died between the last file of a bundle and the bundle.
  const sealed = share?.state === "pending" ? await sealWhenWhole(deps, share.id) : undefined;
  const file = sealed ?? storedFile(share, now(), publicUrl) ?? storedFile(row, now(), publicUrl);
  if (!file || !share) throw unknownUpload();
  const url = `${publicUrl}/f/${share.id}`;
  return { key: uploadKeyOf(row), length: row.size, received: row.size, file: { ...file, url } };
}
