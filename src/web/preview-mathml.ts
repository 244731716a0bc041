import katex, { type KatexOptions } from "katex";
import sax from "sax";
import { inStyle } from "./preview-letters.ts";

/** Characters of one formula's markup. */
const LARGEST = 250_000;
/** Elements in each other. HTML parsers put what is deeper than 512 elsewhere, and the rest of the page with it. */
const DEEPEST = 100;

/**
 * Definitions, by which a short formula grows without end; what KaTeX would print into our log; addresses and
 * attributes; KaTeX's inner commands.
 */
const REFUSED =
  /\\(?:(?:[egx]?def|let|futurelet|(?:new|renew|provide)command|show|message|errmessage|href|url|includegraphics|html(?:Class|Id|Style|Data))(?![a-zA-Z])|[a-zA-Z]*@)/;

/** What browsers know (https://w3c.github.io/mathml-core/), but nothing with addresses, actions, colours or font sizes. */
const ELEMENTS = new Set(
  "math mrow mi mn mo mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup munder mover munderover mmultiscripts mprescripts mtable mtr mtd".split(
    " ",
  ),
);
const ATTRIBUTES: [names: string, value: RegExp][] = [
  ["display", /^block$/],
  [
    "displaystyle stretchy fence separator accent accentunder movablelimits largeop symmetric",
    /^(?:true|false)$/,
  ],
  ["scriptlevel", /^\d$/],
  ["form", /^(?:prefix|infix|postfix)$/],
  [
    "width height depth lspace rspace voffset minsize maxsize linethickness",
    /^-?\d{0,3}(?:\.\d+)?(?:em|ex|pt|px)$/,
  ],
];
const allowed = new Map(
  ATTRIBUTES.flatMap(([names, value]) => names.split(" ").map((name) => [name, value])),
);

/** KaTeX's vectors have a combining arrow, which browsers put beside the letter. */
const ARROW = "<mo>\u20d7</mo>";
const ARROW_ABOVE = '<mo stretchy="false">→</mo>';

/** What `menclose` draws, which browsers don't know: classes of ours. */
const ENCLOSURES = new Map([
  ["box", "line-top line-bottom line-left line-right"],
  ["top", "line-top"],
  ["bottom", "line-bottom"],
  ["left", "line-left"],
  ["right", "line-right"],
  ["updiagonalstrike", "strike-up"],
  ["downdiagonalstrike", "strike-down"],
  ["horizontalstrike", "strike-through"],
]);

const OPTIONS: KatexOptions = {
  output: "mathml",
  strict: "ignore",
  trust: false,
  maxExpand: 1_000,
  // Ems.
  maxSize: 20,
};

/**
 * LaTeX as MathML that the page can hold: text and its layout alone. `display`: large, on a line of its own. Undefined
 * for what is not allowed, or no LaTeX.
 */
export function toMathml(latex: string, display: boolean): string | undefined {
  const markup = REFUSED.test(latex) ? undefined : markupOf(latex, display);
  if (markup === undefined || markup.length > LARGEST) return undefined;
  const mathml = rewrite(markup);
  return display && mathml ? `<span class="formula">${mathml}</span>` : mathml;
}

function markupOf(latex: string, displayMode: boolean): string | undefined {
  try {
    return katex.renderToString(latex, { ...OPTIONS, displayMode });
  } catch (error) {
    // A ParseError; or of any kind, where KaTeX did not expect what it got.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

interface Open {
  /** Ours; empty for an element that only its contents are taken of. */
  tag: string;
  attributes: Record<string, string>;
  /** A table's attributes, one entry a column or row. */
  lists: Record<string, string[]>;
  children: number;
  skipped: boolean;
}

/** KaTeX's markup read as XML and written anew, of nothing but what is named above. Undefined when it is too deep. */
function rewrite(markup: string): string | undefined {
  const pieces: string[] = [];
  let deepest = 0;
  const open: Open[] = [];
  const parser = sax.parser(true);
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name, attributes: given }) => {
    const attributes = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
    const skipped = open.at(-1)?.skipped || name === "annotation" || isGlue(name, attributes);
    const lists = name === "mtable" ? listsOf(attributes) : {};
    const element = { tag: tagOf(name), attributes, lists, children: 0, skipped };
    if (!skipped && element.tag) pieces.push(`<${element.tag}${attributesOf(name, attributes, open)}>`);
    const parent = open.at(-1);
    if (parent && !skipped) parent.children += 1;
    open.push(element);
    deepest = Math.max(deepest, open.length);
  };
  parser.ontext = (text) => {
    const { skipped, attributes } = open.at(-1) ?? { skipped: true };
    if (!skipped) pieces.push(Bun.escapeHTML(inStyle(text, attributes.mathvariant ?? "")));
  };
  parser.onclosetag = () => {
    const { tag, skipped } = open.pop() ?? { skipped: true };
    if (!skipped && tag) pieces.push(`</${tag}>`);
  };
  parser.write(markup.replaceAll(ARROW, ARROW_ABOVE)).close();
  return deepest > DEEPEST ? undefined : pieces.join("");
}

function tagOf(name: string): string {
  if (name === "menclose") return "mrow";
  return ELEMENTS.has(name) ? name : "";
}

/** Cells that KaTeX's own style sheet would number equations in. */
function isGlue(name: string, attributes: Record<string, string>): boolean {
  return name === "mtd" && attributes.class !== undefined;
}

function attributesOf(name: string, attributes: Record<string, string>, above: readonly Open[]): string {
  const kept = Object.entries(attributes).filter(([key, value]) => allowed.get(key)?.test(value));
  // One letter is slanted unless it says otherwise.
  if (name === "mi" && attributes.mathvariant === "normal") kept.push(["mathvariant", "normal"]);
  const classes = name === "menclose" ? enclosure(attributes) : name === "mtd" ? cell(above) : [];
  if (classes.length > 0) kept.push(["class", classes.join(" ")]);
  return kept.map(([key, value]) => ` ${key}="${Bun.escapeHTML(value)}"`).join("");
}

function enclosure({ notation = "" }: Record<string, string>): string[] {
  return notation.split(" ").flatMap((one) => ENCLOSURES.get(one) ?? []);
}

function listsOf(attributes: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, value.split(" ")]));
}

/** What a table says of its columns and rows: browsers want it of each cell. */
function cell(above: readonly Open[]): string[] {
  const [table, row] = above.slice(-2);
  if (!table || !row) return [];
  const { columnalign, columnspacing, columnlines, rowlines } = table.lists;
  const align = columnalign?.[row.children];
  return [
    ...(align === "left" || align === "right" ? [`align-${align}`] : []),
    ...(columnspacing?.[row.children] === "0em" ? ["tight"] : []),
    ...((columnlines?.[row.children] ?? "none") === "none" ? [] : ["line-right"]),
    ...((rowlines?.[table.children - 1] ?? "none") === "none" ? [] : ["line-bottom"]),
  ];
}
