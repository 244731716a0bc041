import MarkdownIt, { type Token } from "markdown-it";
import { markdownTable } from "markdown-table";

// What a model writes is Markdown as GitHub knows it, with LaTeX. Discord knows no tables, no formulas, and no fence but
// three backticks: what it would garble is shown as code.

/** A piece of a text: words, or something that is shown as it stands. */
export type Block = { kind: "prose"; text: string } | Code;

export interface Code {
  kind: "fence" | "table" | "formula";
  /** As the fence named it; may be empty. */
  language: string;
  text: string;
  /** False while its end has not been written. */
  closed: boolean;
}

// Only blocks are wanted, and where they stand.
const markdown = new MarkdownIt();
markdown.core.ruler.enableOnly(["normalize", "block"]);

/** The blocks of a Markdown text, in order; one that is still open is the last. */
export function blocksOf(text: string): Block[] {
  const lines = text.split(/\r\n?|\n/);
  const tokens = markdown.parse(text, {});
  const blocks: Block[] = [];
  let next = 0;
  for (const [index, token] of tokens.entries()) {
    const [start, end] = token.map ?? [0, 0];
    const code = codeAt(tokens, index);
    if (!code || start < next) continue;
    if (start > next) blocks.push(...proseIn(lines.slice(next, start)));
    blocks.push(code);
    next = end;
  }
  const rest = lines.slice(next);
  const isOpen = blocks.at(-1)?.kind === "fence" && rest.every((line) => line.trim() === "");
  return isOpen ? blocks : [...blocks.map(ended), ...proseIn(rest)];
}

/** What something follows has ended, as a fence in a list does with the list. */
function ended(block: Block): Block {
  return block.kind === "prose" ? block : { ...block, closed: true };
}

function codeAt(tokens: readonly Token[], index: number): Code | undefined {
  const token = tokens[index];
  if (token?.type === "fence") return fence(token);
  if (token?.type === "table_open") return table(tokens.slice(index));
  return undefined;
}

function fence({ info, content, map }: Token): Code {
  const [start, end] = map ?? [0, 0];
  const written = content === "" ? 0 : content.replace(/\n$/, "").split("\n").length;
  // An end of its own takes one line more than the beginning and what stands between.
  const closed = end - start > written + 1;
  return { kind: "fence", language: info.trim().split(/\s/)[0] ?? "", text: content, closed };
}

/** The table that begins with these tokens, its columns made equally wide. */
function table(tokens: readonly Token[]): Code {
  const rows: string[][] = [];
  const align: string[] = [];
  for (const token of tokens) {
    if (token.type === "table_close") break;
    if (token.type === "tr_open") rows.push([]);
    if (token.type === "th_open") align.push(String(token.attrGet("style") ?? "").replace("text-align:", ""));
    if (token.type === "inline") rows.at(-1)?.push(cell(token.content));
  }
  const text = markdownTable(rows, { align, stringLength: Bun.stringWidth });
  return { kind: "table", language: "", text, closed: true };
}

/** A cell without the marks that say nothing in code. */
function cell(text: string): string {
  return text
    .replace(/\*\*(.+?)\*\*/g, "$1")
    .replace(/(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/g, "$2")
    .replace(/<br\s*\/?>/gi, " ");
}

// A formula has lines of its own, and none of them is empty. It has no beginning of another one in it, so that of many
// that never end each is read once.
const FORMULA =
  /^[ \t]*(?:\$\$((?:(?!\n\s*\n|\$\$)[\s\S])+?)\$\$|\\\[((?:(?!\n\s*\n|\n[ \t]*\\\[)[\s\S])+?)\\\])[ \t]*$/gm;

function proseIn(lines: readonly string[]): Block[] {
  const text = lines.join("\n");
  const blocks: Block[] = [];
  let next = 0;
  for (const match of text.matchAll(FORMULA)) {
    if (match.index > next)
      blocks.push({ kind: "prose", text: text.slice(next, match.index).replace(/\n$/, "") });
    const formula = (match[1] ?? match[2] ?? "").trim();
    blocks.push({ kind: "formula", language: "latex", text: formula, closed: true });
    next = match.index + match[0].length + 1;
  }
  if (next <= text.length) blocks.push({ kind: "prose", text: text.slice(next) });
  return blocks;
}

/** A formula among words. Dollars are money unless a command, a power or an index stands between them. */
export const INLINE_FORMULA =
  /\\\(((?:(?!\\\()[^\n`])+?)\\\)|\$(?=\S)(?=[^$\n]*(?:\\[A-Za-z]|\^|_[\d{]))([^$\n`]+?)(?<=\S)\$(?!\d)/g;
