import { decodeText } from "../lib/decode-text.ts";
import { TEXT_HEAD } from "./preview.ts";

export interface TextHead {
  text: string;
  /** There is more of the file than this. */
  truncated: boolean;
}

/**
 * The first `limit` bytes of a file of `size` bytes as text, or undefined when these bytes are none. `head` holds at
 * least those bytes, or all of the file.
 */
export async function readHead(head: Blob, size: number, limit = TEXT_HEAD): Promise<TextHead | undefined> {
  const bytes = await head.slice(0, limit).bytes();
  const truncated = size > bytes.length;
  const text = decodeText(bytes, truncated);
  return text === undefined ? undefined : { text, truncated };
}
