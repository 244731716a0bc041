import type { Files } from "../files/files.ts";
import type { AuditAction, AuditEntry, StoredFile } from "../files/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import type { Now } from "../lib/clock.ts";
import { count } from "../lib/count.ts";
import type { Member } from "../members/member.ts";
import { button, row } from "./buttons.ts";
import { note, plain, relativeTime } from "./render.ts";
import type { Body } from "./respond.ts";
import type { Unfinished } from "./unfinished.ts";
import { unfinishedOf } from "./unfinished.ts";

// A list of somebody's own files in one message, a page at a time. Nothing of it is kept: each button says where in
// the list it stands.

type ListedFiles = Pick<Files, "page" | "list" | "usage" | "limits" | "nextExpiry">;

/** A place in the list: behind the file with this id. */
export type Place = Pick<StoredFile, "id" | "createdAt">;

// A message has five rows of buttons: one a file, and one to turn the pages.
const PAGE = 4;
/** Pages are sought in steps of so many files. */
const STEP = 100;

export interface FileListDeps {
  files: ListedFiles;
  now: Now;
}

/**
 * A page of a member's files: those behind `after`, or the newest. `trouble`: what did not go as wanted. Where nothing
 * is left behind `after`, the page before it.
 */
export async function fileList(
  deps: FileListDeps,
  member: Member,
  { after, trouble }: { after?: Place | undefined; trouble?: string } = {},
): Promise<Body> {
  const { files } = deps;
  const found = await files.page(member.id, { limit: PAGE + 1, ...(after && { after }) });
  if (found.length === 0 && after) {
    return fileList(deps, member, {
      after: await pageUpTo(files, member, after),
      ...(trouble && { trouble }),
    });
  }
  const shown = found.slice(0, PAGE);
  const [room, unfinished] = await Promise.all([roomLine(deps, member), unfinishedOf(files, member.id)]);
  const lines = [
    room,
    ...(unfinished.shares.length > 0 ? [unfinishedLine(unfinished)] : []),
    ...shown.map(fileLine),
    ...(found.length === 0 ? ["You have no files. Upload some with `/wis upload`."] : []),
    ...(trouble ? [note(`⚠️ ${trouble}`)] : []),
  ];
  const last = found.length > PAGE ? shown.at(-1) : undefined;
  const rows = [
    ...shown.map((file, index) => fileButtons(file, index + 1, after)),
    ...lastRow(after, last, unfinished.shares.length > 0),
  ];
  return { content: lines.join("\n"), components: rows };
}

/** Behind which file the page begins that ends with the one at `end`. Undefined: it is the first page. */
export async function pageUpTo(
  files: Pick<Files, "page">,
  member: Member,
  end: Place,
): Promise<Place | undefined> {
  let before: Place[] = [];
  let after: Place | undefined;
  // From the newest on: no further than somebody has turned the pages by hand.
  do {
    const step = await files.page(member.id, { limit: STEP, ...(after && { after }) });
    const newer = step.filter((file) => !isBehind(file, end));
    before = [...before, ...newer].slice(-PAGE - 1);
    after = newer.length === STEP ? step.at(-1) : undefined;
  } while (after);
  return before.length > PAGE ? before[0] : undefined;
}

/** Newest first; of two from the same moment the one with the greater id. */
function isBehind(file: Place, end: Place): boolean {
  return file.createdAt === end.createdAt ? file.id < end.id : file.createdAt < end.createdAt;
}

async function roomLine({ files, now }: FileListDeps, { id, asker }: Member): Promise<string> {
  const [usage, nextExpiry] = await Promise.all([files.usage(id), files.nextExpiry(id)]);
  const { maxFiles, maxBytes } = files.limits(id, asker);
  const used = `You keep ${usage.files} of ${count(maxFiles, "file")}, open links included: ${formatBytes(usage.bytes)} of ${formatBytes(maxBytes)}.`;
  const left = `${formatBytes(Math.max(0, maxBytes - usage.bytes))} are left.`;
  const back = nextExpiry === undefined ? "" : ` Space comes back ${whenBack(nextExpiry, now())}.`;
  return `${used} ${left}${back}`;
}

/** What has expired takes its room until the clean-up comes by. */
const whenBack = (at: number, now: number) => (at > now ? relativeTime(at) : "with the next clean-up");

function unfinishedLine({ shares, bytes }: Unfinished): string {
  const what = shares.length === 1 ? "open link or unfinished upload" : "open links or unfinished uploads";
  return `${shares.length} ${what}: ${formatBytes(bytes)} reserved.`;
}

function fileLine(file: StoredFile, index: number): string {
  const { name, size, members, downloads, maxDownloads, passwordHash, expiresAt } = file;
  const facts = [
    ...(members === undefined ? [] : [count(members, "file")]),
    formatBytes(size),
    maxDownloads === null
      ? count(downloads, "download")
      : `${downloads} of ${count(maxDownloads, "download")}`,
    ...(passwordHash === null ? [] : ["with a password"]),
    `goes ${relativeTime(expiresAt)}`,
  ];
  return `**${index + 1}.** ${plain(name, 100)} · ${facts.join(" · ")}`;
}

/** The number tells which of four like rows belongs to which file. */
function fileButtons({ id }: StoredFile, number: number, after: Place | undefined) {
  const here = `${id}.${asText(after)}`;
  return row([
    button({ label: `Link ${number}`, id: `files:link:${id}` }),
    button({ label: `History ${number}`, id: `files:history:${id}` }),
    button({ label: `Extend ${number}`, id: `files:extend:${here}` }),
    button({ label: `Delete ${number}`, id: `files:delete:${here}`, danger: true }),
  ]);
}

/** `after`: where this page begins; `last`: what the next one begins behind. */
function lastRow(after: Place | undefined, last: Place | undefined, isUnfinished: boolean) {
  const buttons = [
    ...(after ? [button({ label: "Newer", id: `files:newer:${asText(after)}` })] : []),
    ...(last ? [button({ label: "Older", id: `files:older:${asText(last)}` })] : []),
    ...(isUnfinished ? [button({ label: "Give up unfinished", id: "files:unfinished:", danger: true })] : []),
  ];
  return buttons.length > 0 ? [row(buttons)] : [];
}

/** Lines of a history: with the longest names they fit into one message. */
export const HISTORY = 20;

const DONE: Record<AuditAction, string> = {
  uploaded: "uploaded",
  downloaded: "downloaded",
  viewed: "looked at",
  extended: "given more time",
  changed: "changed",
  deleted: "deleted",
  expired: "gone",
  refused: "refused: a wrong password, or no download left",
};

/** What happened to a file, newest first. Visitors have no names: one has the same word each time. */
export function fileHistory(name: string, entries: AuditEntry[]): Body {
  const lines = entries.map(({ at, action, who }) => `${relativeTime(at)} ${DONE[action]} by ${nameOf(who)}`);
  const empty = "Nothing has happened to it yet.";
  return { content: [`**${plain(name, 100)}**`, ...(lines.length > 0 ? lines : [empty])].join("\n") };
}

/** A member is named, which pings nobody: see respond.ts. */
function nameOf(who: string): string {
  if (/^\d{17,20}$/.test(who)) return `<@${who}>`;
  return who === "admin" || who === "clean-up" ? who : `visitor \`${who.slice(0, 6)}\``;
}

/** Short enough for a button's custom_id, twice. */
function asText(place: Place | undefined): string {
  return place ? `${place.createdAt.toString(36)}.${place.id}` : "";
}

/** The place that a button's argument ends with. Undefined: the beginning of the list. */
export function placeIn(argument: string): Place | undefined {
  const [createdAt, id] = argument.split(".");
  return createdAt && id ? { createdAt: Number.parseInt(createdAt, 36), id } : undefined;
}

/** The file that a button's argument begins with, and the place behind that. */
export function fileAndPlaceIn(argument: string): { id: string; after: Place | undefined } {
  const end = argument.indexOf(".");
  return { id: argument.slice(0, end), after: placeIn(argument.slice(end + 1)) };
}
