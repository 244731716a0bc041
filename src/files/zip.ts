import { createHash } from "node:crypto";
import { WisError } from "../errors.ts";
import { directoryHeader, endOfDirectory, localHeader, type Member } from "./zip-records.ts";

export { zipPaths } from "./zip-paths.ts";
export { readZip } from "./zip-read.ts";

/** A file of a ZIP: its bytes are the blob `key`, as they are. */
export interface ZipEntry {
  /** Relative, with `/`; see `zipPaths`. */
  path: string;
  /** Bytes. */
  size: number;
  /** Of the bytes, as kept from the upload. */
  crc32: number;
  /** Milliseconds since the epoch; a ZIP keeps seconds. */
  modifiedAt: number;
  key: string;
}

/** A stretch of a ZIP: `size` bytes that begin at `start`, either generated or those of a whole blob. */
export type Piece = { start: number; size: number } & ({ bytes: Uint8Array } | { key: string });

export interface ZipLayout {
  /** Bytes in all. */
  size: number;
  /** Hex SHA-256 over everything that determines the bytes: a strong validator, without quotes. */
  etag: string;
  /** One after the other, without gaps and none of them empty. */
  pieces: Piece[];
}

/** A path's length is kept in 16 bits. */
const MAX_PATH_BYTES = 0xffff;

/**
 * Where every byte of a ZIP of these files is, found without reading any of them: they are stored, not compressed,
 * and the same entries always give the same bytes. ZIP64 where the sizes, offsets or the count need it and nowhere
 * else. Throws WisError `file.name_invalid` for a path over 65,535 bytes.
 */
export function layoutZip(entries: readonly ZipEntry[]): ZipLayout {
  const pieces = createPieces();
  const members: Member[] = [];
  for (const entry of entries) {
    const member = { ...recorded(entry), offset: pieces.size() };
    members.push(member);
    pieces.generate(localHeader(member));
    pieces.refer(entry.key, entry.size);
  }
  const directoryAt = pieces.size();
  for (const member of members) pieces.generate(directoryHeader(member));
  pieces.generate(endOfDirectory(members.length, pieces.size() - directoryAt, directoryAt));
  return pieces.end();
}

function recorded({ path, size, crc32, modifiedAt }: ZipEntry): Omit<Member, "offset"> {
  const encoded = new TextEncoder().encode(path);
  if (encoded.length > MAX_PATH_BYTES) {
    throw new WisError("file.name_invalid", {
      say: "A file lies in so many folders that no ZIP can name it.",
      hint: "Download the files one by one.",
    });
  }
  return { path: encoded, size, crc32, modifiedAt: Math.floor(modifiedAt / 1000) };
}

/** Gathers what is generated between two blobs into one piece. */
function createPieces() {
  const pieces: Piece[] = [];
  let generated: Uint8Array[] = [];
  let flushed = 0;
  let size = 0;

  function flush() {
    if (generated.length === 0) return;
    const bytes = Buffer.concat(generated);
    pieces.push({ start: flushed, size: bytes.length, bytes });
    flushed += bytes.length;
    generated = [];
  }

  return {
    size: () => size,
    generate(bytes: Uint8Array) {
      generated.push(bytes);
      size += bytes.length;
    },
    refer(key: string, length: number) {
      if (length === 0) return;
      flush();
      pieces.push({ start: size, size: length, key });
      size += length;
      flushed = size;
    },
    end(): ZipLayout {
      flush();
      return { size, etag: etagOf(pieces), pieces };
    },
  };
}

/**
 * The headers hold every name, size, time and CRC-32, and change with the way they are written. A CRC-32 is no
 * identity, so the keys, which stand for the bytes themselves, count as well.
 */
function etagOf(pieces: Piece[]): string {
  const keys = pieces.flatMap((piece) => ("key" in piece ? [piece.key] : []));
  const hash = createHash("sha256").update(`${JSON.stringify(keys)}\0`);
  for (const piece of pieces) if ("bytes" in piece) hash.update(piece.bytes);
  return hash.digest("hex");
}
