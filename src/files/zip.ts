import { createHash } from "node:crypto";
import { WisError } from "../errors.ts";
import { createRecords, directoryHeader, endOfDirectory, localHeader, type Member } from "./zip-records.ts";

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

const encoder = new TextEncoder();

/**
 * Where every byte of a ZIP of these files is, found without reading any of them: they are stored, not compressed,
 * and the same entries always give the same bytes. ZIP64 where the sizes, offsets or the count need it and nowhere
 * else. Throws WisError `file.name_invalid` for a path over 65,535 bytes.
 */
export function layoutZip(entries: readonly ZipEntry[]): ZipLayout {
  const members = entries.map((entry) => ({ ...recorded(entry), key: entry.key }));
  const records = createRecords(members);
  const pieces: Piece[] = [];
  let size = 0;
  let taken = 0;

  /** Makes a piece of what was generated since the last. */
  function takeRecords() {
    const bytes = records.since(taken);
    taken = records.length();
    pieces.push({ start: size, size: bytes.length, bytes });
    size += bytes.length;
  }
  const written = () => size + records.length() - taken;

  for (const member of members) {
    member.offset = written();
    localHeader(records, member);
    if (member.size === 0) continue;
    takeRecords();
    pieces.push({ start: size, size: member.size, key: member.key });
    size += member.size;
  }
  const directoryAt = written();
  for (const member of members) directoryHeader(records, member);
  endOfDirectory(records, members.length, written() - directoryAt, directoryAt);
  takeRecords();
  return { size, etag: etagOf(pieces), pieces };
}

function recorded({ path, size, crc32, modifiedAt }: ZipEntry): Member {
  const encoded = encoder.encode(path);
  if (encoded.length > MAX_PATH_BYTES) {
    throw new WisError("file.name_invalid", {
      say: "A file lies in so many folders that no ZIP can name it.",
      hint: "Download the files one by one.",
    });
  }
  return { path: encoded, size, crc32, modifiedAt: Math.floor(modifiedAt / 1000), offset: 0 };
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
