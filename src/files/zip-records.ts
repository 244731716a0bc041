// PKWARE's APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT; the numbers name its parts.

/** One file as the records of a ZIP see it. */
export interface Member {
  path: Uint8Array;
  /** Bytes. */
  size: number;
  crc32: number;
  /** Seconds since the epoch. */
  modifiedAt: number;
  /** Where its local header begins. */
  offset: number;
}

/** Up to here a field means what it says; its highest value says "see the ZIP64 record" (4.4.1.4). */
const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;

const PLAIN = 20;
const ZIP64 = 45;
const MADE_ON_UNIX = (3 << 8) | ZIP64;
const UTF8 = 1 << 11;
const STORED = 0;
const REGULAR_0644 = 0o100644 * 2 ** 16;
const FIRST_DOS_SECOND = Date.UTC(1980, 0, 1) / 1000;
const LAST_DOS_SECOND = Date.UTC(2107, 11, 31, 23, 59, 58) / 1000;
const LAST_TIMESTAMP = 0x7fff_ffff;

const TIMESTAMP_BYTES = 9;
/** The most that both headers of a file take beside its path, and the end's records. */
const HEADERS_BYTES = 30 + 20 + TIMESTAMP_BYTES + 46 + 28 + TIMESTAMP_BYTES;
const END_BYTES = 56 + 20 + 22;

export interface Records {
  /** Bytes written so far. */
  length(): number;
  /** The bytes written since `from`, not copied. */
  since(from: number): Uint8Array;
  u8(value: number): void;
  u16(...values: number[]): void;
  u32(...values: number[]): void;
  u64(...values: number[]): void;
  raw(bytes: Uint8Array): void;
}

/** Room for all records of these files, in one buffer: one a record took ten times as long. Little-endian (4.4.1.1). */
export function createRecords(members: readonly Pick<Member, "path">[]): Records {
  const paths = members.reduce((sum, { path }) => sum + path.length, 0);
  const buffer = Buffer.alloc(members.length * HEADERS_BYTES + 2 * paths + END_BYTES);
  let at = 0;
  return {
    length: () => at,
    since: (from) => buffer.subarray(from, at),
    u8(value) {
      at = buffer.writeUInt8(value, at);
    },
    u16(...values) {
      for (const value of values) at = buffer.writeUInt16LE(value, at);
    },
    u32(...values) {
      for (const value of values) at = buffer.writeUInt32LE(value, at);
    },
    u64(...values) {
      for (const value of values) at = buffer.writeBigUInt64LE(BigInt(value), at);
    },
    raw(bytes) {
      buffer.set(bytes, at);
      at += bytes.length;
    },
  };
}

/** Writes what stands right before a file's bytes (4.3.7). */
export function localHeader(to: Records, member: Member): void {
  const { path, size, modifiedAt } = member;
  // 4.5.3: in a local header both sizes are given or neither.
  const large = size >= MAX_32 ? [size, size] : [];
  to.u32(0x04034b50);
  to.u16(large.length > 0 ? ZIP64 : PLAIN);
  common(to, member);
  to.u16(path.length, extraBytes(large, modifiedAt));
  to.raw(path);
  extra(to, large, modifiedAt);
}

/** Writes a file's line in the central directory (4.3.12). */
export function directoryHeader(to: Records, member: Member): void {
  const { path, size, modifiedAt, offset } = member;
  // 4.5.3: only what does not fit, in this order.
  const large = [...(size >= MAX_32 ? [size, size] : []), ...(offset >= MAX_32 ? [offset] : [])];
  const [comment, disk, internalAttributes] = [0, 0, 0];
  to.u32(0x02014b50);
  to.u16(MADE_ON_UNIX, large.length > 0 ? ZIP64 : PLAIN);
  common(to, member);
  to.u16(path.length, extraBytes(large, modifiedAt), comment, disk, internalAttributes);
  to.u32(REGULAR_0644, Math.min(offset, MAX_32));
  to.raw(path);
  extra(to, large, modifiedAt);
}

/** Writes the end of a ZIP (4.3.14 to 4.3.16) whose central directory has so many entries and bytes and begins at `offset`. */
export function endOfDirectory(to: Records, entries: number, size: number, offset: number): void {
  const [thisDisk, directoryDisk, comment] = [0, 0, 0];
  if (entries >= MAX_16 || size >= MAX_32 || offset >= MAX_32) {
    const [followingBytes, disks] = [44, 1];
    to.u32(0x06064b50);
    to.u64(followingBytes);
    to.u16(MADE_ON_UNIX, ZIP64);
    to.u32(thisDisk, directoryDisk);
    to.u64(entries, entries, size, offset);
    to.u32(0x07064b50, directoryDisk);
    to.u64(offset + size);
    to.u32(disks);
  }
  const cappedEntries = Math.min(entries, MAX_16);
  to.u32(0x06054b50);
  to.u16(thisDisk, directoryDisk, cappedEntries, cappedEntries);
  to.u32(Math.min(size, MAX_32), Math.min(offset, MAX_32));
  to.u16(comment);
}

/** What both headers say in the same order: flags, method, time, checksum, sizes. */
function common(to: Records, { crc32, size, modifiedAt }: Member): void {
  const { date, time } = dosTime(modifiedAt);
  const capped = Math.min(size, MAX_32);
  to.u16(UTF8, STORED, time, date);
  to.u32(crc32, capped, capped);
}

/** Two-second steps from 1980 to 2107. The format has no zone: UTC, the same for every reader. */
function dosTime(seconds: number): { date: number; time: number } {
  const at = new Date(Math.min(Math.max(seconds, FIRST_DOS_SECOND), LAST_DOS_SECOND) * 1000);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return { date, time };
}

const hasTimestamp = (seconds: number) => seconds >= 0 && seconds <= LAST_TIMESTAMP;

function extraBytes(large: number[], modifiedAt: number): number {
  return (large.length > 0 ? 4 + 8 * large.length : 0) + (hasTimestamp(modifiedAt) ? TIMESTAMP_BYTES : 0);
}

function extra(to: Records, large: number[], modifiedAt: number): void {
  if (large.length > 0) {
    to.u16(0x0001, 8 * large.length);
    to.u64(...large);
  }
  // Info-ZIP's extended timestamp: the second in UTC, for readers that take the DOS time as local. It ends in 2038.
  if (!hasTimestamp(modifiedAt)) return;
  const onlyModified = 1;
  to.u16(0x5455, TIMESTAMP_BYTES - 4);
  to.u8(onlyModified);
  to.u32(modifiedAt);
}
