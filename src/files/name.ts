/** What a file is called when nothing usable is left of its name. */
const FALLBACK = "file";

// File systems take 255 bytes; browsers append " (1)" and ".crdownload" to what they save.
const MAX_BYTES = 200;
const MAX_EXTENSION_BYTES = 32;
// The patterns below take quadratic time on long runs of dots; no file system has names near this long.
const MAX_READ = 4096;

// Invisible or direction-changing: "exe.gpj" must not read "gpj.exe". U+200C and U+200D stay, for Persian and emoji need them.
const HIDDEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u00AD\u061C\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu;
// Windows refuses these in a name.
const FORBIDDEN = /[<>:"|?*]/g;
// Windows opens a device for these, whatever the extension and with trailing spaces before it.
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)/i;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const encoder = new TextEncoder();

const bytesOf = (text: string) => encoder.encode(text).length;

/**
 * Makes any name a sender gives safe to show, to store and to save under on every system, and leaves it readable:
 * the last path part, in NFC, at most 200 bytes of UTF-8 with its extension kept, never empty. Applying it twice
 * changes nothing.
 */
export function safeName(given: string): string {
  const lastPart =
    given
      .slice(-MAX_READ)
      .split(/[/\\]/)
      .findLast((part) => tidy(part) !== "") ?? "";
  const name = shorten(tidy(lastPart));
  if (name === "") return FALLBACK;
  return DEVICE.test(name) ? `_${name}` : name;
}

function tidy(part: string): string {
  return trimEnds(
    part.normalize("NFC").replace(HIDDEN, "").replace(FORBIDDEN, "_").replace(/\s+/gu, " ").normalize("NFC"),
  );
}

/** No dots or spaces at the end (Windows drops them silently), at most one dot at the start, no joiners at either end. */
function trimEnds(name: string): string {
  return name
    .replace(/[\s.\u200C\u200D]+$/u, "")
    .replace(/^[\s\u200C\u200D]+/u, "")
    .replace(/^\.[\s.\u200C\u200D]+/u, ".");
}

function shorten(name: string): string {
  if (bytesOf(name) <= MAX_BYTES) return name;
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length);
  return trimEnds(cutTo(stem, MAX_BYTES - bytesOf(extension))) + extension;
}

/** The part from the last dot on, when it is short enough to be an extension. */
function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  return bytesOf(extension) <= MAX_EXTENSION_BYTES ? extension : "";
}

/** The longest start of `text` within `maxBytes` that cuts no character that a reader sees in two. */
function cutTo(text: string, maxBytes: number): string {
  let kept = "";
  let bytes = 0;
  for (const { segment } of graphemes.segment(text)) {
    bytes += bytesOf(segment);
    if (bytes > maxBytes) break;
    kept += segment;
  }
  return kept;
}
