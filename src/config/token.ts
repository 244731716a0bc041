import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "./file-errors.ts";

/** What reading a token gave: the token, or why there is none. */
export type TokenRead = { token: string } | { got: string };

/** Reads a file that holds a bot token and nothing else. */
export async function readToken(file: string): Promise<TokenRead> {
  try {
    const token = (await readFile(file, "utf8")).trim();
    return /^\S+$/.test(token) ? { token } : { got: `${file} without a token in one line` };
  } catch (error) {
    return { got: `${file}: ${reasonOf(error)}` };
  }
}

/** What systemd's `LoadCredential=discord-token:…` left in `folder`; undefined when it left none. */
export async function readCredential(folder: string): Promise<TokenRead | undefined> {
  const file = join(folder, "discord-token");
  return (await Bun.file(file).exists()) ? await readToken(file) : undefined;
}
