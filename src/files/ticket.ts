import { WisError } from "../errors.ts";
import { hashCapability } from "../lib/capability.ts";
import type { Now } from "../lib/clock.ts";
import type { FileLimits } from "../members/limits.ts";
import { isLinkExpired } from "./expiry.ts";
import type { TicketView } from "./files.ts";
import type { FileIndex, FileRow, Tombstone } from "./ports.ts";
import { storedFile } from "./stored.ts";

export interface TicketDeps {
  index: Pick<FileIndex, "findByTicket" | "usage">;
  limits: FileLimits;
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
  const found = await deps.index.findByTicket(ticketKey(ticket));
  if (!found) throw unknownTicket();
  if (isTombstone(found)) return viewTombstone(found);
  return await viewRow(deps, found);
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
        hint: "A link takes one file: ask for a new one with /wis upload.",
      });
    case "expired":
      return new WisError("ticket.expired", {
        say: "This upload link has expired.",
        hint: "Ask for a new one with /wis upload.",
      });
  }
}

function isTombstone(found: FileRow | Tombstone): found is Tombstone {
  return "outcome" in found;
}

function viewTombstone({ outcome, at }: Tombstone): TicketView {
  return outcome === "used" ? { state: "used", file: undefined } : { state: "expired", at };
}

async function viewRow({ index, limits, publicUrl, now }: TicketDeps, row: FileRow): Promise<TicketView> {
  if (row.readyAt !== null) return { state: "used", file: storedFile(row, now(), publicUrl) };
  if (row.state === "uploading") return { state: "busy" };
  const endsAt = row.linkExpiresAt ?? row.createdAt;
  if (row.state === "deleting" || isLinkExpired(row, now())) {
    return { state: "expired", at: Math.min(endsAt, now()) };
  }
  return { state: "open", expiresAt: endsAt, limits, usage: await index.usage(row.ownerId) };
}

function unknownTicket(): WisError {
  return new WisError("ticket.unknown", {
    say: "There is no such upload link.",
    hint: "Check that the whole address was copied, or ask for a new link with /wis upload.",
  });
}
