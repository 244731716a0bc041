import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import { openProgress } from "./output.ts";

export interface Target {
  /** A file, a folder, `-` for stdout; undefined: here, by the file's own name. */
  path: string | undefined;
  force: boolean;
  signal: AbortSignal;
}

/** Bytes to be written down, `size` of them. */
export interface Source {
  name: string;
  size: number;
  /** What they must be; undefined for a ZIP, which holds a checksum of each file. */
  sha256?: string;
  stream: ReadableStream<Uint8Array>;
}

/** What was written, and where. */
export interface Saved {
  path: string;
  size: number;
  /** Of the bytes that were written. */
  sha256: string;
}

/**
 * Writes the bytes and checks them on the way against what was sent. A path has the whole file or none of it. Gives
 * what was written; undefined for stdout. [usage, file.corrupt]
 */
export async function save(source: Source, target: Target): Promise<Saved | undefined> {
  const { path, force, signal } = target;
  using progress = openProgress(`Reading ${source.name}`, formatBytes);
  const hash = createHash("sha256");
  const bytes = () => checked(source, hash, (read) => progress.update(read, source.size));
  if (path === "-") {
    await toStdout(bytes(), signal);
    return undefined;
  }
  const final = await placeFor(path, source.name, force);
  const unfinished = `${final}.part`;
  try {
    await pipeline(bytes, createWriteStream(unfinished, { flags: force ? "w" : "wx" }), { signal });
    await rename(unfinished, final);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") await rm(unfinished, { force: true });
    throw asSaveError(error, final, signal);
  }
  return { path: final, size: source.size, sha256: hash.copy().digest("hex") };
}

/** Whoever reads may have enough before the end, as `head` does: that is no failure of ours. */
export async function toStdout(
  bytes: AsyncIterable<Uint8Array | string>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(bytes, process.stdout, { signal, end: false });
  } catch (error) {
    if (codeOf(error) !== "EPIPE") throw error;
  }
}

/** Writes a file that only its owner can read, whole or not at all. [usage when it exists, disk.failed] */
export async function toNewFile(
  path: string,
  pieces: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(pieces, createWriteStream(path, { flags: "wx", mode: 0o600 }), { signal });
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw exists(path, "Name another path.");
    await rm(path, { force: true });
    throw asSaveError(error, path, signal);
  }
}

async function* checked({ stream, size, sha256 }: Source, hash: Hash, onRead: (bytes: number) => void) {
  let read = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    read += chunk.length;
    onRead(read);
    yield chunk;
  }
  if (read === size && (sha256 === undefined || hash.copy().digest("hex") === sha256)) return;
  throw new WisError("file.corrupt", {
    say: "The stored bytes are not the ones that were sent.",
    hint: "Run wisbot files verify to see which files are damaged, and restore them from a backup.",
  });
}

async function placeFor(path: string | undefined, name: string, force: boolean): Promise<string> {
  const isFolder = path !== undefined && (await kindOf(path)) === "folder";
  const place = path === undefined || isFolder ? join(path ?? ".", name) : path;
  const there = await kindOf(place);
  if (there === "folder" || (there === "file" && !force)) throw exists(place);
  return place;
}

async function kindOf(path: string): Promise<"file" | "folder" | "nothing"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "nothing";
    throw cannotWrite(path, error);
  }
}

function asSaveError(error: unknown, path: string, signal: AbortSignal): unknown {
  if (error instanceof WisError) return error;
  if (signal.aborted) return signal.reason;
  return codeOf(error) === "EEXIST" ? exists(`${path}.part`) : cannotWrite(path, error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function exists(path: string, hint = "Name another path, or add --force."): WisError {
  return new WisError("usage", { say: `${path} exists already.`, hint });
}

function cannotWrite(path: string, cause: unknown): WisError {
  return new WisError("disk.failed", {
    say: `${path} can't be written.`,
    hint: "Name a path in a folder that exists and that you may write to.",
    cause,
  });
}
