// Long texts in several messages. Discord counts UTF-16 code units, as JavaScript's `length` does.

/** One message's share of a text: `open + body + close` is what is sent. All bodies together are the text. */
export interface Part {
  /** Opens again, with its language, the code block that the part before had to close. */
  open: string;
  body: string;
  /** Closes a code block that goes on, or was never closed. */
  close: string;
}

const FENCE = "```";
/** What `close` may need. */
const CLOSE_LENGTH = FENCE.length + 1;

/**
 * Splits at paragraphs, else lines, else words, else graphemes; inside one only where it fills half a part, and never
 * inside a surrogate pair or a fence. No code block is cut where one of its halves would be empty, for to Discord that is
 * none. `limitOf(index)` says how many code units part `index` may have (at least 100). Appending to the text changes no
 * part but the last, except where the appended text completes a fence.
 */
export function split(text: string, limitOf: (index: number) => number): Part[] {
  const parts: Part[] = [];
  let language: string | undefined;
  for (let start = 0; start < text.length || parts.length === 0; ) {
    const open = language === undefined ? "" : `${FENCE}${language}\n`;
    const room = limitOf(parts.length) - open.length - CLOSE_LENGTH;
    const cut = findCut(text, start, room, language);
    const body = text.slice(start, cut.at);
    parts.push({ open, body, close: cut.language === undefined ? "" : closing(body) });
    start = cut.at;
    language = cut.language;
  }
  return parts;
}

/** What is sent for a part. */
export function partText({ open, body, close }: Part): string {
  return open + body + close;
}

interface Cut {
  at: number;
  /** Of the code block that is open there, "" if it names none; undefined outside. */
  language: string | undefined;
}

// Like Discord, any three backticks open or close a block, wherever they stand, and nothing else does. An opening fence
// keeps its language and the first character of what is in the block, a closing one the last.
const outside = /```(?:([\w+#.-]{0,32})\n)?(?:\n{0,8}(?!```)[^\n])?|./suy;
const inside = /(?:[^`]|`(?=\n))?\n{0,8}```|./suy;

/** The best place to end a part that starts at `start` and may take `room` units. */
function findCut(text: string, start: number, room: number, language: string | undefined): Cut {
  const last = start + room;
  const wanted = start + room / 2;
  const best: { paragraph?: Cut; line?: Cut; word?: Cut; grapheme?: Cut; any: Cut } = {
    any: { at: start, language },
  };
  const endsGrapheme = graphemeEnds(text, start, last);
  let state = language;
  for (let at = start; at < text.length; ) {
    const token = nextToken(text, at, state);
    at += token.length;
    if (at > last) return best.paragraph ?? best.line ?? best.word ?? best.grapheme ?? best.any;
    state = token.language;
    best.any = { at, language: state };
    if (at < wanted || !endsGrapheme(at)) continue;
    if (text[at - 1] === "\n") best[text[at - 2] === "\n" ? "paragraph" : "line"] = best.any;
    else if (text[at - 1] === " ") best.word = best.any;
    else best.grapheme = best.any;
  }
  return best.any;
}

function nextToken(text: string, at: number, language: string | undefined) {
  const pattern = language === undefined ? outside : inside;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  const token = match?.[0] ?? text.slice(at, at + 1);
  if (!token.includes(FENCE)) return { length: token.length, language };
  return { length: token.length, language: language === undefined ? (match?.[1] ?? "") : undefined };
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Tells whether what people see as one character ends at a place between `start` and `end`, which starts with one. */
function graphemeEnds(text: string, start: number, end: number): (at: number) => boolean {
  let segments: Intl.Segments | undefined;
  return (at) => {
    const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
    // Below U+0300 every character stands for itself, but for a line end of two.
    if (before < 0x300 && !(after >= 0x300)) return before !== 0x0d || after !== 0x0a;
    segments ??= graphemes.segment(text.slice(start, end + 2));
    return at === text.length || segments.containing(at - start)?.index === at - start;
  };
}

function closing(body: string): string {
  return body.endsWith("\n") ? FENCE : `\n${FENCE}`;
}
