import { setImmediate } from "node:timers/promises";
import type { MarkdownIt, StateBlock, StateInline, Token } from "markdown-it";

/** Characters of one formula. */
const LONGEST = 2_000;
/** Of one document: formulas, their characters, and characters of what becomes of them. */
const MAX_FORMULAS = 2_000;
const MAX_LATEX = 50_000;
const MAX_MATHML = 1_000_000;

/**
 * Formulas within a line. A backslash goes with the character after it, as in TeX. Dollars follow Pandoc's rule, by
 * which $5 and $6 are prices (https://pandoc.org/MANUAL.html#extension-tex_math_dollars). Square brackets want spaces
 * inside: \[1\] is Markdown for [1].
 */
const INLINE = [
  { form: /(?<![\w$])\$\$(?![\s$])((?:[^\\$]|\\.|\$(?!\$)){1,2000}?)(?<!\s)\$\$(?![\d$])/sy, display: true },
  { form: /(?<![\w$])\$(?!\s)((?:[^\\$]|\\.){1,2000}?)(?<!\s)\$(?![\d$])/sy, display: false },
  { form: /\\\[(?=\s)((?:[^\\]|\\[^\]]){1,2000}?)(?<=\s)\\\]/sy, display: true },
  { form: /\\\(((?:[^\\]|\\[^)]){1,2000}?)\\\)/sy, display: false },
];

/** What begins a formula that has lines of its own, and what goes up to its end. */
const BLOCK = new Map([
  ["$$", /^(?:[^\\$]|\\.|\$(?!\$))*?\$\$/],
  ["\\[", /^(?:[^\\]|\\[^\]])*?\\\]/],
]);

/** A plugin: finds `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, for `layOutFormulas`. */
export function findFormulas(md: MarkdownIt): void {
  md.inline.ruler.before("escape", "formula", findInline);
  md.block.ruler.before("fence", "formula", findBlock, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
}

/**
 * Turns what `findFormulas` found, and fences called `math`, into MathML. What is no formula after all, or beyond what
 * one document may take, stands as it was written.
 */
export async function layOutFormulas(tokens: readonly Token[]): Promise<void> {
  const found = [...formulasIn(tokens)];
  if (found.length === 0) return;
  // Loaded with the first formula: it takes 12 MB of memory.
  const { toMathml } = await import("./preview-mathml.ts");
  let latexLeft = MAX_LATEX;
  let mathmlLeft = MAX_MATHML;
  for (const [index, { token, latex, display }] of found.entries()) {
    latexLeft -= latex.length;
    const fits = index < MAX_FORMULAS && latex.length <= LONGEST && latexLeft >= 0 && mathmlLeft >= 0;
    const mathml = fits ? toMathml(latex, display) : undefined;
    mathmlLeft -= mathml?.length ?? 0;
    settle(token, mathml);
    // Others' turn: one formula takes some milliseconds, all of them up to a second.
    if (fits) await setImmediate();
  }
}

interface Found {
  token: Token;
  latex: string;
  display: boolean;
}

function* formulasIn(tokens: readonly Token[]): Generator<Found> {
  for (const token of tokens) {
    const { latex, display } = token.meta ?? {};
    if (token.type === "formula") yield { token, latex: String(latex), display: display === true };
    if (isMathFence(token)) yield { token, latex: token.content, display: true };
    // What a picture shows is told in plain words.
    if (token.type === "image") for (const { token: part } of formulasIn(token.children ?? [])) settle(part);
    else yield* formulasIn(token.children ?? []);
  }
}

function isMathFence({ type, info }: Token): boolean {
  return type === "fence" && info.trim() === "math";
}

function settle(token: Token, mathml?: string): void {
  if (mathml !== undefined) {
    token.type = token.block ? "html_block" : "html_inline";
    token.content = token.block ? `${mathml}\n` : mathml;
  } else if (token.type === "formula") {
    token.type = token.block ? "code_block" : "text";
  }
}

function findInline(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  if (src[pos] !== "$" && src[pos] !== "\\") return false;
  for (const { form, display } of INLINE) {
    form.lastIndex = pos;
    const [written = "", latex = ""] = form.exec(src) ?? [];
    if (latex.trim() === "" || pos + written.length > posMax) continue;
    if (!silent) Object.assign(state.push("formula", "", 0), { content: written, meta: { latex, display } });
    state.pos += written.length;
    return true;
  }
  return false;
}

function findBlock(state: StateBlock, first: number, last: number, silent: boolean): boolean {
  const start = startOf(state, first);
  const upToEnd = BLOCK.get(state.src.slice(start, start + 2));
  if (!upToEnd) return false;
  const line = lastLine(state, first, last, upToEnd);
  if (line === undefined) return false;
  const written = state.getLines(first, line + 1, state.blkIndent, false).trim();
  const latex = written.slice(2, -2);
  if (latex.trim() === "") return false;
  if (silent) return true;
  const map = [first, line + 1];
  Object.assign(state.push("formula", "", 0), {
    block: true,
    content: written,
    map,
    meta: { latex, display: true },
  });
  state.line = line + 1;
  return true;
}

/** The line that a formula ends with. Undefined when more follows there, or when none ends it soon. */
function lastLine(state: StateBlock, first: number, last: number, upToEnd: RegExp): number | undefined {
  let length = 0;
  for (let line = first; line < last && length <= LONGEST; line++) {
    if (line > first && !state.isEmpty(line) && (state.sCount[line] ?? 0) < state.blkIndent) return undefined;
    const start = startOf(state, line) + (line === first ? 2 : 0);
    const text = state.src.slice(start, state.eMarks[line]);
    length += text.length + 1;
    const end = length <= LONGEST ? upToEnd.exec(text)?.[0].length : undefined;
    if (end !== undefined) return text.slice(end).trim() === "" ? line : undefined;
  }
  return undefined;
}

function startOf(state: StateBlock, line: number): number {
  return (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
}
