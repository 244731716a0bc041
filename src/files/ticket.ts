import { WisError } from "../errors.ts";
import { hashCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { Limits } from "../members/limits.ts";
import type { BlobStores } from "./blob-ports.ts";
import type { ArrivingFile, TicketView } from "./files.ts";
import type { FileIndex, FileRow, Tombstone } from "./ports.ts";
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
export async function openTicket(
  deps: Pick<TicketDeps, "now"> & { index: Pick<FileIndex, "findByTicket"> },
  ticket: string,
): Promise<FileRow> {
  const found = await findTicket(deps, ticket);
  const closed = closedTicket({ state: stateOf(found, deps.now()) });
  if (closed) throw closed;
  if (isTombstone(found)) throw unknownTicket();
  return found;
}

/** Why a ticket in this state takes no upload; undefined when it does. */
export function closedTicket({ state }: Pick<TicketView, "state">): WisError | undefined {
  switch (state) {
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
  { index }: { index: Pick<FileIndex, "findByTicket"> },
  ticket: string,
): Promise<FileRow | Tombstone> {
  const found = await index.findByTicket(ticketKey(ticket));
  if (!found) throw unknownTicket();
  return found;
}

function isTombstone(found: FileRow | Tombstone): found is Tombstone {
  return "outcome" in found;
}

function stateOf(found: FileRow | Tombstone, now: number): TicketView["state"] {
  if (isTombstone(found)) return found.outcome;
  if (found.readyAt !== null) return "used";
  if (found.state === "uploading" && found.resumeUntil === null) return "busy";
  return found.state === "deleting" || endOfLink(found) <= now ? "expired" : "open";
}

/** A link lives as long as what came through it can be gone on with. */
function endOfLink({ linkExpiresAt, createdAt, resumeUntil }: FileRow): number {
  return Math.max(linkExpiresAt ?? createdAt, resumeUntil ?? 0);
}

async function viewFound(deps: TicketDeps, found: FileRow | Tombstone): Promise<TicketView> {
  const { index, limits, publicUrl, now } = deps;
  const state = stateOf(found, now());
  if (isTombstone(found)) {
    return state === "used" ? { state, file: undefined } : { state: "expired", at: found.at };
  }
  switch (state) {
    case "used":
      return { state, file: storedFile(found, now(), publicUrl) };
    case "busy":
      return { state };
    case "expired":
      return { state, at: Math.min(endOfLink(found), now()) };
    case "open":
      return {
        state,
        expiresAt: endOfLink(found),
        limits: limits(found),
        usage: await index.usage(found.ownerId),
        spaceAt: await index.nextExpiry(found.ownerId, now()),
        expected: found.expected,
        arriving: await arrivingOf(deps, found),
      };
  }
}

/** Unfinished uploads that are measured for one view: each is a look at the disk. Of the others nothing is said. */
const MAX_MEASURED = 32;

/** What is on its way through a link, or here already. */
async function arrivingOf({ index, stores }: TicketDeps, row: FileRow): Promise<ArrivingFile[]> {
  const rows = row.expected === null ? [row] : (await index.members(row.id)).map(({ row: member }) => member);
  const arriving: ArrivingFile[] = [];
  let measured = 0;
  for (const { state, name, path, size, length, uploadKey } of rows) {
    if (state === "pending" || name === null || uploadKey === null) continue;
    const ready = state === "ready";
    if (!ready) measured += 1;
    const known = measured <= MAX_MEASURED ? () => receivedOf(stores, uploadKey) : () => 0;
    const received = ready ? size : await known();
    arriving.push({ name, path: path ?? name, size: ready ? size : (length ?? undefined), received, ready });
  }
  return arriving;
}

/** Bytes that are here of an unfinished upload. A commit may have been cut just before its row learned of it. */
export async function receivedOf(stores: BlobStores, uploadKey: string): Promise<number> {
  const store = stores.at(stores.place);
  // Whoever goes on with it gives it a new name: what moved while it was looked at is looked for once more.
  for (let looks = 0; looks < 2; looks += 1) {
    const bytes = (await store.unfinished(uploadKey)) ?? (await store.open(uploadKey));
    if (bytes) return bytes.size;
  }
  return 0;
}

function unknownTicket(): WisError {
  return new WisError("ticket.unknown", {
    say: "There is no such upload link.",
    hint: "Check that the whole address was copied, or ask for a new link with /wis upload.",
  });
}
