import { WisError } from "../errors.ts";
import { abbreviate, newCapability } from "../lib/capability.ts";
import type { Asker } from "../members/member.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { seal } from "./bundle.ts";
import { contentTypeOf } from "./content-type.ts";
import { dropBytes } from "./drop-bytes.ts";
import type { Incoming, Sharing } from "./files.ts";
import { safeName } from "./name.ts";
import { type PlaceDeps, refuseTooLarge, takePlace, takeRoom } from "./place.ts";
import type { FileIndex, StoredFile } from "./ports.ts";
import { overQuota } from "./quota.ts";
import { leftover, type ReceiveDeps, receive } from "./receive.ts";
import { openTicket } from "./ticket.ts";
import { beingSent } from "./upload-errors.ts";
import { wishesOf } from "./wishes.ts";

export type UploadDeps = ReceiveDeps &
  PlaceDeps & {
    index: FileIndex;
    telemetry: Pick<Telemetry, "span" | "record">;
    metrics: Pick<Metrics["files"], "uploads" | "uploadedBytes">;
  };

/** Takes the bytes for a ticket: see Files.upload. */
export async function uploadWithTicket(
  deps: UploadDeps,
  ticket: string,
  incoming: Incoming,
): Promise<StoredFile> {
  return await counted(deps, incoming.body, async () => {
    using room = await takeRoom(deps, ticket, incoming);
    const row = await takePlace(deps, ticket, { ...incoming, resumeUntil: null });
    return await receive(deps, { row, room, limits: deps.limits(row), by: row.ownerId }, incoming);
  });
}

export interface DirectUpload extends Sharing {
  ownerId: string;
  /** Absent: an admin on the command line. */
  asker?: Asker | null;
  /** Who sends it, for the audit; its owner unless said otherwise. */
  by?: string;
}

/** Takes bytes that came without a ticket: see Files.add. */
export async function uploadDirectly(
  deps: UploadDeps,
  { ownerId, asker = null, by = ownerId, ...sharing }: DirectUpload,
  incoming: Incoming,
): Promise<StoredFile> {
  const { index, now } = deps;
  return await counted(deps, incoming.body, async () => {
    const limits = deps.limits({ ownerId, asker });
    refuseTooLarge(incoming, limits);
    const wishes = await wishesOf(sharing);
    const size = incoming.length ?? 0;
    using room = await deps.rooms.take(size);
    const id = newCapability();
    const name = safeName(incoming.name);
    const inserted = await index.insert(
      {
        id,
        ownerId,
        asker,
        name,
        contentType: contentTypeOf(incoming.contentType, name),
        size,
        length: incoming.length ?? null,
        uploadKey: newCapability(),
        origin: null,
        createdAt: now(),
        linkExpiresAt: null,
        ticketHash: null,
        ...wishes,
      },
      limits,
    );
    const row = inserted ? await index.find(id) : undefined;
    if (!row) throw overQuota(await index.usage(ownerId), limits, true);
    return await receive(deps, { row, room, limits, by }, incoming);
  });
}

/** Makes a bundle of what is there: see Files.close. Uploads that nobody sends any more are taken away. */
export async function closeBundle(deps: UploadDeps, ticket: string): Promise<StoredFile> {
  const { index, stores, live } = deps;
  const bundle = await openTicket(deps, ticket);
  const uploading = (await index.members(bundle.id)).filter(({ row }) => row.state === "uploading");
  if (uploading.some(({ row }) => live.has(row.id))) throw beingSent();
  await dropBytes(stores, await index.release(uploading.map(({ row }) => row.id)));
  const sealed = await seal(deps, bundle, await index.members(bundle.id));
  if (sealed) return sealed;
  throw new WisError("share.invalid", {
    say: "Nothing has arrived yet that could be shared.",
    hint: "Send a file first.",
  });
}

/** One upload as a span and in the metrics; a body that was refused unread is cancelled. */
export async function counted<T extends StoredFile | undefined>(
  { telemetry, metrics }: Pick<UploadDeps, "telemetry" | "metrics">,
  body: ReadableStream<Uint8Array>,
  run: () => Promise<T>,
): Promise<T> {
  return await telemetry.span("upload", {}, async (span) => {
    try {
      const file = await run();
      if (!file) return file;
      span.setAttributes({ [attribute.file]: abbreviate(file.id), [attribute.fileSize]: file.size });
      metrics.uploads.add(1, { outcome: "ok" });
      metrics.uploadedBytes.add(file.size);
      return file;
    } catch (error) {
      metrics.uploads.add(1, { outcome: error instanceof WisError ? error.code : "internal" });
      if (!body.locked) void body.cancel(error).catch(leftover(telemetry));
      throw error;
    }
  });
}
