/**
 * Bytes as text: UTF-8, UTF-16 where a byte order mark says so, else Windows-1252. Undefined when they are no text.
 * `cut`: they are only a file's beginning, and a character that the cut went through is left off.
 */
export function decodeText(bytes: Uint8Array, cut: boolean): string | undefined {
  const text = decode(bytes, cut);
  return text === undefined || isBinary(text) ? undefined : text;
}

function decode(bytes: Uint8Array, cut: boolean): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe)
    return new TextDecoder("utf-16le").decode(bytes, { stream: cut });
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return new TextDecoder("utf-16be").decode(bytes, { stream: cut });
  if (bytes.includes(0)) return undefined;
  try {
    // As a stream: a character that the cut went through is left off, and is no error.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: cut });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Texts hold next to no control characters; compressed or executable bytes hold many. */
function isBinary(text: string): boolean {
  let controls = 0;
  for (let at = 0; at < text.length; at++) if (isControl(text.charCodeAt(at))) controls++;
  return controls > text.length / 200;
}

/** But for tab, line feed, form feed, carriage return, and escape, which colours the logs of terminals. */
function isControl(unit: number): boolean {
  return unit < 0x20 && unit !== 9 && unit !== 10 && unit !== 12 && unit !== 13 && unit !== 0x1b;
}
