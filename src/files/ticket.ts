import { WisError } from "../errors.ts";
import { hashCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { Limits } from "../members/limits.ts";
import { isLinkExpired } from "./expiry.ts";
import type { ArrivingFile, TicketView } from "./files.ts";
import type { BlobStores, FileIndex, FileRow, Tombstone } from "./ports.ts";
import { storedFile } from "./stored.ts";

export interface TicketDeps {
  index: Pick<FileIndex, "findByTicket" | "usage" | "nextExpiry" | "members">;
  stores: BlobStores;
  limits: Limits["files"];
  publicUrl: string;
  now: Now;
}

/** Tickets and file ids look alike: at least 128 random bits. The upper bound keeps nonsense out of the index. */
export function isCapability(text: string): boolean {
  return /^[A-Za-z0-9_-]{22,64}$/.test(text);
}

/** What the index knows a ticket by. Throws WisError `ticket.unknown` for what can't be a ticket. */
export function ticketKey(ticket: string): string {
  if (!isCapability(ticket)) throw unknownTicket();
  return hashCapability(ticket);
}

/** What an upload page shows for this ticket. Throws WisError `ticket.unknown`. */
export async function viewTicket(deps: TicketDeps, ticket: string): Promise<TicketView> {
  return await viewFound(deps, await findTicket(deps, ticket));
}

/** The row behind a ticket that takes uploads. Throws WisError `ticket.*`. */
export async function openTicket(deps: TicketDeps, ticket: string): Promise<FileRow> {
  const found = await findTicket(deps, ticket);
  const closed = closedTicket(await viewFound(deps, found));
  if (closed) throw closed;
  if (isTombstone(found)) throw unknownTicket();
  return found;
}

/** Why a ticket with this view takes no upload; undefined when it does. */
export function closedTicket(view: TicketView): WisError | undefined {
  switch (view.state) {
    case "open":
      return undefined;
    case "busy":
      return new WisError("ticket.busy", {
        say: "A file is being sent through this link right now.",
        hint: "Wait until that upload ends; if it is cut, the link works again.",
      });
    case "used":
      return new WisError("ticket.used", {
        say: "This upload link was already used.",
        hint: "A link is good for one upload: ask for a new one with /wis upload.",
      });
    case "expired":
      return new WisError("ticket.expired", {
        say: "This upload link has expired.",
        hint: "Ask for a new one with /wis upload.",
      });
  }
}

async function findTicket(
  { index }: Pick<TicketDeps, "index">,
  ticket: string,
): Promise<FileRow | Tombstone> {
  const found = await index.findByTicket(ticketKey(ticket));
  if (!found) throw unknownTicket();
  return found;
}

function isTombstone(found: FileRow | Tombstone): found is Tombstone {
  return "outcome" in found;
}

async function viewFound(deps: TicketDeps, found: FileRow | Tombstone): Promise<TicketView> {
  return isTombstone(found) ? viewTombstone(found) : await viewRow(deps, found);
}

function viewTombstone({ outcome, at }: Tombstone): TicketView {
  return outcome === "used" ? { state: "used", file: undefined } : { state: "expired", at };
}

async function viewRow(deps: TicketDeps, row: FileRow): Promise<TicketView> {
  const { index, limits, publicUrl, now } = deps;
  if (row.readyAt !== null) return { state: "used", file: storedFile(row, now(), publicUrl) };
  if (row.state === "uploading" && row.resumeUntil === null) return { state: "busy" };
  const endsAt = Math.max(row.linkExpiresAt ?? row.createdAt, row.resumeUntil ?? 0);
  if (row.state === "deleting" || (isLinkExpired(row, now()) && endsAt <= now())) {
    return { state: "expired", at: Math.min(endsAt, now()) };
  }
  return {
    state: "open",
    expiresAt: endsAt,
    limits: limits(row),
    usage: await index.usage(row.ownerId),
    spaceAt: await index.nextExpiry(row.ownerId),
    expected: row.expected,
    arriving: await arrivingOf(deps, row),
  };
}

/** What is on its way through a link, or here already. */
async function arrivingOf({ index, stores }: TicketDeps, row: FileRow): Promise<ArrivingFile[]> {
  const rows = row.expected === null ? [row] : (await index.members(row.id)).map(({ row: member }) => member);
  const arriving: ArrivingFile[] = [];
  for (const { state, name, path, size, length, uploadKey } of rows) {
    if (state === "pending" || name === null || uploadKey === null) continue;
    const ready = state === "ready";
    const received = ready ? size : await receivedOf(stores, uploadKey);
    arriving.push({ name, path: path ?? name, size: ready ? size : (length ?? undefined), received, ready });
  }
  return arriving;
}

/** Bytes that are here of an unfinished upload. A commit may have been cut just before its row learned of it. */
export async function receivedOf(stores: BlobStores, uploadKey: string): Promise<number> {
  const store = stores.at(stores.place);
  // Whoever goes on with it gives it a new name: what moved while it was looked at is looked for once more.
  for (let looks = 0; looks < 2; looks += 1) {
    const unfinished = (await store.unfinished(uploadKey))?.size ?? 0;
    const size = unfinished > 0 ? unfinished : ((await store.open(uploadKey))?.size ?? 0);
    if (size > 0) return size;
  }
  return 0;
}

function unknownTicket(): WisError {
  return new WisError("ticket.unknown", {
    say: "There is no such upload link.",
    hint: "Check that the whole address was copied, or ask for a new link with /wis upload.",
  });
}
