import type { APIEmbed, APIEmbedField } from "discord.js";
import type { IssuedTicket } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import { count } from "../lib/count.ts";
import { formatDuration } from "../lib/duration.ts";
import { button, linkButton, row } from "./buttons.ts";
import type { Offer } from "./inline.ts";
import { note, plain, relativeTime } from "./render.ts";
import type { Body } from "./respond.ts";

/** The most that an embed's title may have: https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const TITLE_LIMIT = 256;

export interface FileCardOptions {
  /** Its "Post it here" button. Absent: none. */
  post?: Offer | undefined;
}

/** A stored file or bundle: what it is, how long it stays, and the buttons for its owner and moderators. */
export function fileCard(file: StoredFile, { post }: FileCardOptions = {}): Body {
  const embed: APIEmbed = {
    title: plain(file.name, TITLE_LIMIT),
    description: file.url,
    fields: [
      inline("Size", formatBytes(file.size)),
      inline("Expires", relativeTime(file.expiresAt)),
      ...(file.members === undefined ? [] : [inline("Bundle", count(file.members, "file"))]),
      ...(file.passwordHash === null ? [] : [inline("Password", "needed")]),
      ...(file.maxDownloads === null ? [] : [inline("Downloads", atMost(file.maxDownloads))]),
    ],
  };
  const posting = post === "posting";
  const buttons = [
    ...linkButton("Open", file.url),
    ...(post
      ? [
          button({
            label: posting ? "Posting…" : "Post it here",
            id: `file:post:${file.id}`,
            disabled: posting,
          }),
        ]
      : []),
    extendButton(file),
    deleteButton(file),
  ];
  return { embeds: [embed], components: [row(buttons)] };
}

/** What is left of a card when its file is gone. */
export function goneCard(words: string): Body {
  return { embeds: [{ description: words }] };
}

/** A personal upload link. For its owner's eyes only. `used`: what they keep already, bytes. */
export function ticketCard({ url, expiresAt, limits }: IssuedTicket, used: number): Body {
  const content = [
    `Your personal upload link: ${url}`,
    `It takes one file or many, ${mostOf(limits, used)}, and expires ${relativeTime(expiresAt)}.`,
    ...(used >= limits.maxBytes ? ["You have no room left: delete something with `/wis files` first."] : []),
    `What you upload stays for ${formatDuration(limits.expireAfter)}, unless you say otherwise on the page; there you can set a password or make it a one-time link, too.`,
    "Keep the link to yourself: whoever has it can use it.",
  ].join("\n");
  const buttons = linkButton("Upload a file", url);
  return { content, components: buttons.length > 0 ? [row(buttons)] : [] };
}

/** What becomes of an upload link in Discord when its upload is done. */
export function uploadedCard(file: StoredFile): Body {
  return { content: `Uploaded: ${plain(file.name)}\n<${file.url}>` };
}

/** Tells an owner that a file of theirs goes. `quiet`: they have just said that they don't want to be told. */
export function expiringCard(file: StoredFile, { quiet = false } = {}): Body {
  const lines = [
    `${plain(file.name)} goes ${relativeTime(file.expiresAt)}.`,
    `<${file.url}>`,
    ...(quiet
      ? [note("You will not be reminded any more. `/wis files reminders:True` turns it on again.")]
      : []),
  ];
  const dontRemind = button({ label: "Don't remind me", id: `file:quiet:${file.id}` });
  const buttons = [extendButton(file), deleteButton(file), ...(quiet ? [] : [dontRemind])];
  return { content: lines.join("\n"), components: [row(buttons)] };
}

function mostOf({ maxFileSize, maxBytes }: IssuedTicket["limits"], used: number): string {
  const left = Math.max(0, maxBytes - used);
  return left < maxFileSize
    ? `together at most ${formatBytes(left)}`
    : `each of at most ${formatBytes(maxFileSize)}`;
}

const extendButton = ({ id }: StoredFile) => button({ label: "Extend", id: `file:extend:${id}` });
const deleteButton = ({ id }: StoredFile) =>
  button({ label: "Delete", id: `file:delete:${id}`, danger: true });
const inline = (name: string, value: string): APIEmbedField => ({ name, value, inline: true });
const atMost = (downloads: number) => (downloads === 1 ? "once" : `at most ${downloads}`);
