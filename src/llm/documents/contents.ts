/** What was read of a file. */
export interface Contents {
  /** Its pages; one where it has none. */
  parts: string[];
  /** How many there are: more than `parts` where reading ended early. */
  total: number;
}

/** As much of a file as there was room for. */
export interface Excerpt {
  text: string;
  /** How much of the file that is, in words; undefined: all of it. */
  share: string | undefined;
}

const BETWEEN = "\n\n";

/** How many characters all of it takes. */
export function lengthOf({ parts }: Contents): number {
  return parts.reduce((sum, part) => sum + part.length, BETWEEN.length * (parts.length - 1));
}

/** At most `room` characters from its beginning: whole pages where one fits, otherwise whole characters. */
export function excerptOf(contents: Contents, room: number): Excerpt {
  const { parts, total } = contents;
  const pages = pagesWithin(parts, room);
  const text = parts.slice(0, pages).join(BETWEEN);
  if (pages === total) return { text, share: undefined };
  if (pages > 0) return { text, share: `${pages} of ${total} pages` };
  const start = startOf(parts[0] ?? "", room);
  return { text: start, share: `the first ${start.length.toLocaleString("en")} characters` };
}

function pagesWithin(parts: readonly string[], room: number): number {
  let end = -BETWEEN.length;
  const beyond = parts.findIndex((part) => {
    end += BETWEEN.length + part.length;
    return end > room;
  });
  return beyond === -1 ? parts.length : beyond;
}

/** Without half a surrogate pair at its end. */
function startOf(text: string, length: number): string {
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}

/**
 * Shares `room` among what is `wanted`: nobody gets more than he wants, and nobody who gets less gets less than
 * another. So the small are whole, and the large share the rest evenly.
 */
export function shareRoom(wanted: readonly number[], room: number): number[] {
  const shares = wanted.map(() => 0);
  const smallFirst = [...wanted.entries()].sort(([, a], [, b]) => a - b);
  let left = room;
  for (const [turn, [index, want]] of smallFirst.entries()) {
    const share = Math.min(want, Math.floor(left / (wanted.length - turn)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}
