import { type APIButtonComponent, type APIEmbed, ButtonStyle, ComponentType } from "discord.js";
import type { IssuedTicket } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import { formatDuration } from "../lib/duration.ts";
import { plain, relativeTime } from "./render.ts";
import type { Body } from "./respond.ts";

/** A stored file: what it is, how long it stays, and the buttons for its owner and moderators. */
export function fileCard(file: StoredFile): Body {
  const embed: APIEmbed = {
    title: plain(file.name),
    description: file.url,
    fields: [
      { name: "Size", value: formatBytes(file.size), inline: true },
      { name: "Expires", value: relativeTime(file.expiresAt), inline: true },
    ],
  };
  const extend = button(ButtonStyle.Secondary, "Extend", `file:extend:${file.id}`);
  const remove = button(ButtonStyle.Danger, "Delete", `file:delete:${file.id}`);
  return { embeds: [embed], components: [row([...linkButton("Open", file.url), extend, remove])] };
}

/** What is left of a card when its file is gone. */
export function goneCard(words: string): Body {
  return { embeds: [{ description: words }] };
}

/** A personal upload link. For its owner's eyes only. */
export function ticketCard({ url, expiresAt, limits }: IssuedTicket): Body {
  const content = [
    `Your personal upload link: ${url}`,
    `It takes one file of at most ${formatBytes(limits.maxFileSize)} and expires ${relativeTime(expiresAt)}.`,
    `The file stays for ${formatDuration(limits.expireAfter)}. Keep the link to yourself: whoever has it can use it.`,
  ].join("\n");
  const buttons = linkButton("Upload a file", url);
  return { content, components: buttons.length > 0 ? [row(buttons)] : [] };
}

function button(style: ButtonStyle.Secondary | ButtonStyle.Danger, label: string, custom_id: string) {
  return { type: ComponentType.Button as const, style, label, custom_id };
}

/** None for an address such as http://localhost:8080, which Discord refuses as "not a well formed URL". */
function linkButton(label: string, url: string): APIButtonComponent[] {
  if (!/[.:]/.test(new URL(url).hostname)) return [];
  return [{ type: ComponentType.Button, style: ButtonStyle.Link, label, url }];
}

function row(components: APIButtonComponent[]) {
  return { type: ComponentType.ActionRow as const, components };
}
