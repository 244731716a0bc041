import { createHash } from "node:crypto";
import { expectStatus, type Line } from "./line.ts";

export const OWNER = "111111111111111111";

export interface Part {
  path: string;
  sha256: string;
  size: number;
}

/** A share that was acknowledged. */
export interface Share {
  url: string;
  id: string;
  parts: Part[];
  /** kept: whoever asks must get all of it. leaving: somebody is removing it. */
  state: "kept" | "leaving" | "removed" | "fleeting";
}

export const partOf = (path: string, bytes: Uint8Array): Part => ({
  path,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  size: bytes.length,
});

/** Downloads it and compares; false when the line broke. A bundle's ZIP must come whole, its files are compared later. */
export async function isWhole(line: Line, { id, parts }: Pick<Share, "id" | "parts">): Promise<boolean> {
  const answer = await line.ask(`/f/${id}/download`);
  if (!answer) return false;
  expectStatus(answer, [200], "a download of what was acknowledged");
  const [part, ...others] = parts;
  if (others.length === 0 && partOf("", answer.bytes).sha256 !== part?.sha256) {
    throw new Error(`${id.slice(0, 4)}… has other bytes than were sent`);
  }
  return true;
}
