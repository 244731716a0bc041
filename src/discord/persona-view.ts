import type { Where } from "../llm/llm.ts";
import type { PersonaRow } from "../llm/ports.ts";
import { button, row } from "./buttons.ts";
import { note, plain, relativeTime, truncate } from "./render.ts";
import type { Body } from "./respond.ts";

export type PersonaScope = "channel" | "server";

/** What a form's text may have: https://discord.com/developers/docs/components/reference#text-input */
export const LONGEST_PERSONA = 4_000;

/** As much of a persona stands in the message; all of it is attached then. */
const SHOWN_TEXT = 800;
const LONGEST_LINE = 1_000;

export interface PersonaViewInput {
  where: Where;
  /** What answers there; undefined: the default. */
  current: PersonaRow | undefined;
  /** Of `scope`, newest first. */
  versions: PersonaRow[];
  /** What the buttons change. */
  scope: PersonaScope;
  mayChange: boolean;
  /** What has just been done. */
  changed?: string | undefined;
}

/** Who answers somewhere, and for moderators the way to change that. */
export function personaView(input: PersonaViewInput): Body {
  const { where, current, versions, scope, mayChange, changed } = input;
  const shown = current ? quoted(current.text) : "";
  const lines = [
    ...(current ? [titleOf(current, where), shown] : ["The default persona answers here."]),
    ...(mayChange && versions.length > 0
      ? [`Versions for this ${scope}:`, ...versions.map(versionLine)]
      : []),
    ...(mayChange ? [] : [note("Moderators can change it.")]),
    ...(changed ? [note(`✅ ${changed}`)] : []),
  ];
  return {
    content: lines.join("\n"),
    ...(mayChange && { components: buttonsFor(versions, scope) }),
    ...(current && shown.endsWith("…") && { file: asFile(current.text) }),
  };
}

function titleOf(
  { placeId, guildId, version, authorId, createdAt }: PersonaRow,
  { channelId }: Where,
): string {
  const whose =
    placeId === guildId ? "This server's" : placeId === channelId ? "This channel's" : "The channel's";
  const author = authorId === null ? "" : `, by <@${authorId}>`;
  return `${whose} persona answers here: version ${version}${author}, ${relativeTime(createdAt)}.`;
}

/** As its lines stand, whatever Markdown they hold. */
function quoted(text: string): string {
  const lines = truncate(text, SHOWN_TEXT).split("\n");
  return truncate(lines.map((line) => `> ${plain(line, LONGEST_LINE)}`).join("\n"), LONGEST_LINE);
}

function versionLine({ version, text, createdAt }: PersonaRow, index: number): string {
  const words = text === "" ? "the default" : plain(text, 60);
  return note(`${version}${index === 0 ? " (holds)" : ""} · ${relativeTime(createdAt)} · ${words}`);
}

function buttonsFor(versions: PersonaRow[], scope: PersonaScope) {
  const [newest, ...older] = versions;
  const first = [
    button({ label: "Edit", id: `persona:edit:${scope}` }),
    ...(newest?.text ? [button({ label: "Back to the default", id: `persona:default:${scope}` })] : []),
  ];
  const restore = older.map(({ version }) =>
    button({ label: `Restore ${version}`, id: `persona:restore:${scope}.${version}` }),
  );
  return [first, restore].filter(({ length }) => length > 0).map(row);
}

const asFile = (data: string) => ({ name: "persona.txt", contentType: "text/plain; charset=utf-8", data });
