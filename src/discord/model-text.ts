import { blocksOf, type Code, INLINE_FORMULA } from "./markdown-blocks.ts";

const LONGEST_GAP = 500;

/**
 * A model's words as Discord may show them: a link's address stays in sight instead of behind other words, tables and
 * formulas are shown as code, and no message can consist of white space alone. Appending whole lines to whole lines
 * only appends to the result, but for a table or a formula that goes on.
 */
export function modelText(text: string): string {
  const blocks = blocksOf(text.trimStart().replace(/\s+/g, (gap) => gap.slice(0, LONGEST_GAP)));
  return blocks.map((block) => (block.kind === "prose" ? prose(block.text) : codeBlock(block))).join("\n");
}

// The only fences that Discord sees are those that `codeBlock` makes, so that what is code here is code there as well:
// to Discord any three backticks are one, wherever they stand, and a block without content is none.
const FENCE = "```";

function prose(text: string): string {
  return text
    .replace(INLINE_FORMULA, (_, first, second) => `\`${first ?? second}\``)
    .replace(/`{3,}/g, "``")
    .replaceAll("](", "] (");
}

function codeBlock({ language, text, closed }: Code): string {
  const content = text.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  if (content === "") return "";
  const known = /^[\w+#.-]{1,32}$/.test(language) ? language : "";
  return `${FENCE}${known}\n${withoutFences(content)}${closed ? `\n${FENCE}` : ""}`;
}

/**
 * Backticks in a row are kept apart with a character of no width. The first of all may be the end of one before the
 * block, as Discord reads it, so that what comes after it is no code any more.
 */
function withoutFences(content: string): string {
  const first = content.indexOf("`");
  if (first < 0) return content;
  const rest = content.slice(first).replace(/`{3,}/g, (row) => [...row].join("\u200b"));
  return content.slice(0, first) + rest.replaceAll("](", "] (");
}
