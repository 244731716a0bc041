import prettyBytes from "pretty-bytes";
import type { Picked } from "./upload-sources.ts";

/** What can be taken now; sizes in bytes. The server has the last word. */
export interface Room {
  maxFileBytes: number;
  maxBytes: number;
  maxFiles: number;
}

/** Parts what was picked into files that fit beside those held and sentences about those that do not. */
export function fitting(
  picked: Picked[],
  { room, held }: { room: Room | undefined; held: { size: number }[] },
): { taken: Picked[]; refused: string[] } {
  if (!room) return { taken: picked, refused: [] };
  const taken: Picked[] = [];
  const refused: string[] = [];
  let bytes = held.reduce((total, { size }) => total + size, 0);
  let files = held.length;
  for (const one of picked) {
    const reason = reasonAgainst(one.file, {
      ...room,
      maxBytes: room.maxBytes - bytes,
      maxFiles: room.maxFiles - files,
    });
    if (reason) {
      refused.push(reason);
      continue;
    }
    taken.push(one);
    bytes += one.file.size;
    files += 1;
  }
  return { taken, refused };
}

function reasonAgainst({ name, size }: File, { maxFileBytes, maxBytes, maxFiles }: Room): string | undefined {
  if (size > maxFileBytes)
    return `${name} is ${prettyBytes(size)}; a file may be ${prettyBytes(maxFileBytes)} at most.`;
  if (maxFiles < 1) return `${name} is one file too many.`;
  if (size > maxBytes) return `${name} is ${prettyBytes(size)}; only ${prettyBytes(maxBytes)} are left.`;
  return undefined;
}
