import { unzipSync } from "fflate";
import sax from "sax";
import type { Contents } from "../contents.ts";
import type { Work } from "./messages.ts";
import { Refused } from "./refused.ts";

/** Bytes: some thousand pages. */
const LARGEST_XML = 20_000_000;
/** Bytes that are parsed between two looks at how much text there is. */
const STEP = 65_536;

// Characters: Word keeps whole drawings in attributes, and the parser would end at 64 KiB.
Object.assign(sax, { MAX_BUFFER_LENGTH: 2_000_000 });

/** Word in the browser counts on: document2.xml. */
const MAIN_PART = /^word\/document\d*\.xml$/;

/** A Word document's text. Throws Refused, and whatever the unpacker or the parser throws. */
export function readDocx({ bytes, maxCharacters }: Work): Contents {
  const text = textOf(mainPart(bytes), maxCharacters + 1);
  if (text.trim() === "") throw new Refused("textless");
  return { parts: [text], total: 1 };
}

function mainPart(bytes: Uint8Array): Uint8Array {
  let found = false;
  const unpacked = unzipSync(bytes, {
    // Only the first: a thousand of one name would all be unpacked.
    filter({ name, originalSize }) {
      if (found || !MAIN_PART.test(name)) return false;
      // What an entry says of its size is also all the room that it gets: one that lies is cut off there.
      if (originalSize > LARGEST_XML) throw new Refused("large");
      found = true;
      return true;
    },
  });
  const [part] = Object.values(unpacked);
  if (!part) throw new Refused("unknown");
  return part;
}

/** Its beginning: `enough` characters where there are so many. */
function textOf(xml: Uint8Array, enough: number): string {
  const pieces: string[] = [];
  let length = 0;
  const parser = textParser((piece) => {
    pieces.push(piece);
    length += piece.length;
  });
  const decoder = new TextDecoder(xml[0] === 0xff ? "utf-16le" : xml[0] === 0xfe ? "utf-16be" : "utf-8");
  for (let at = 0; at < xml.length && length < enough; at += STEP) {
    parser.write(decoder.decode(xml.subarray(at, at + STEP), { stream: true }));
  }
  // Complains of a part that ends too early.
  if (length < enough) parser.close();
  return pieces.join("").slice(0, enough);
}

/** What is no longer there, and the older form of a drawing, which says its text a second time. */
const SKIPPED = new Set(["w:del", "w:moveFrom", "mc:Fallback"]);

/** Gives text in reading order: a line a paragraph; in tables a line a row, with a tab after each cell. */
function textParser(add: (piece: string) => void): sax.SAXParser {
  const parser = sax.parser(true);
  const open: string[] = [];
  let skipped = 0;
  let tables = 0;
  let paragraphsOfCell = 0;

  function begin(name: string, parent: string | undefined): void {
    // Outside of a run, these say where tabs stop and how lines break.
    if (parent === "r" && name === "tab") add("\t");
    if (parent === "r" && (name === "br" || name === "cr")) add("\n");
    if (parent === "r" && name === "noBreakHyphen") add("-");
    if (name === "tbl") tables += 1;
    if (name === "tc") paragraphsOfCell = 0;
    if (name === "p" && tables > 0 && paragraphsOfCell++ > 0) add(" ");
  }

  function end(name: string): void {
    if (name === "tbl") tables -= 1;
    if (name === "p" && tables === 0) add("\n");
    if (name === "tc") add("\t");
    if (name === "tr") add("\n");
  }

  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name }) => {
    if (SKIPPED.has(name)) skipped += 1;
    if (skipped === 0) begin(localName(name), open.at(-1));
    open.push(localName(name));
  };
  parser.onclosetag = (name) => {
    open.pop();
    if (skipped === 0) end(localName(name));
    if (SKIPPED.has(name)) skipped -= 1;
  };
  parser.ontext = (text) => {
    if (skipped === 0 && open.at(-1) === "t") add(text);
  };
  return parser;
}

const localName = (name: string) => name.slice(name.indexOf(":") + 1);
