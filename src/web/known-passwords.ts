import { createHmac, randomBytes } from "node:crypto";
import type { Files } from "../files/files.ts";

/** Right passwords that are remembered: a third of a kilobyte each. */
const MOST = 1_000;

/**
 * `files.unlock` for programs, which say the password with every part of a file that they ask for: a right one is
 * checked once for as long as its pass is good. What is kept of it is of no use to anybody but this process.
 */
export function rememberRight(files: Pick<Files, "admits" | "unlock">): Files["unlock"] {
  const key = randomBytes(32);
  const passes = new Map<string, string>();
  return async (file, password, client) => {
    const name = createHmac("sha256", key).update(`${file.shareId}\0${password}`).digest("base64");
    const before = passes.get(name);
    if (before !== undefined && files.admits(file, [before])) return before;
    const pass = await files.unlock(file, password, client);
    passes.delete(name);
    passes.set(name, pass);
    const [oldest] = passes.keys();
    if (passes.size > MOST && oldest !== undefined) passes.delete(oldest);
    return pass;
  };
}
