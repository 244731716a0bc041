import { type Block, blocksOf, type Code, INLINE_FORMULA } from "./markdown-blocks.ts";
import type { Body } from "./respond.ts";

/** An answer of so many characters is handier as a file. */
const LONG = 1_000;
/** A table of so many is not for a message, nor for two. */
const LONG_TABLE = 1_500;

/** Whether an answer is worth having as a file: it is long, or Discord shows some of it in another way than it was written. */
export function isWorthAFile(text: string): boolean {
  return text.length > LONG || text.search(INLINE_FORMULA) >= 0 || blocksOf(text).some(isShownOtherwise);
}

function isShownOtherwise(block: Block): boolean {
  if (block.kind === "fence") return block.text.includes("```");
  return block.kind !== "prose";
}

/** Whether an answer has a table that no message can hold. */
export function hasLongTable(text: string): boolean {
  return blocksOf(text).some(({ kind, text }) => kind === "table" && text.length > LONG_TABLE);
}

type TextFile = NonNullable<Body["file"]> & { data: string };

/** The whole answer as it was written; of one that is mostly a code block, the code. */
export function answerFile(text: string): TextFile {
  const code = blocksOf(text).find((block): block is Code => block.kind === "fence");
  if (!code || code.text.length < text.length / 2) return markdownFile("answer.md", text);
  return { name: `answer.${extensionOf(code.language)}`, contentType: "text/plain", data: code.text };
}

export function markdownFile(name: string, data: string): TextFile {
  return { name, contentType: "text/markdown", data };
}

const EXTENSIONS: Record<string, string> = {
  bash: "sh",
  "c#": "cs",
  "c++": "cpp",
  csharp: "cs",
  elixir: "ex",
  golang: "go",
  haskell: "hs",
  javascript: "js",
  julia: "jl",
  kotlin: "kt",
  latex: "tex",
  markdown: "md",
  matlab: "m",
  perl: "pl",
  powershell: "ps1",
  python: "py",
  ruby: "rb",
  rust: "rs",
  shell: "sh",
  typescript: "ts",
};

/** Most languages that are named in a few letters are named by their extension. */
function extensionOf(language: string): string {
  const name = language.toLowerCase();
  return EXTENSIONS[name] ?? (/^[a-z0-9]{1,5}$/.test(name) ? name : "txt");
}
