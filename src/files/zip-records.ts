// PKWARE's APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: all numbers little-endian.

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

interface Field {
  bytes: 1 | 2 | 4 | 8;
  value: number;
}
const u8 = (value: number): Field => ({ bytes: 1, value });
const u16 = (value: number): Field => ({ bytes: 2, value });
const u32 = (value: number): Field => ({ bytes: 4, value });
const u64 = (value: number): Field => ({ bytes: 8, value });
const capped16 = (value: number) => u16(Math.min(value, MAX_16));
const capped32 = (value: number) => u32(Math.min(value, MAX_32));

function pack(fields: Field[], ...rest: Uint8Array[]): Uint8Array {
  const length = fields.reduce((sum, { bytes }) => sum + bytes, 0);
  const view = new DataView(new ArrayBuffer(length));
  let at = 0;
  for (const { bytes, value } of fields) {
    if (bytes === 1) view.setUint8(at, value);
    if (bytes === 2) view.setUint16(at, value, true);
    if (bytes === 4) view.setUint32(at, value, true);
    if (bytes === 8) view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return Buffer.concat([new Uint8Array(view.buffer), ...rest]);
}

/** What stands right before a file's bytes. */
export function localHeader(member: Member): Uint8Array {
  const { path, size, crc32 } = member;
  // 4.5.3: in a local header both sizes are given or neither.
  const extra = extraFields(member, size >= MAX_32 ? [u64(size), u64(size)] : []);
  return pack(
    [
      u32(0x04034b50),
      u16(size >= MAX_32 ? ZIP64 : PLAIN),
      ...flagsToTime(member),
      u32(crc32),
      capped32(size),
      capped32(size),
      u16(path.length),
      u16(extra.length),
    ],
    path,
    extra,
  );
}

/** A file's line in the central directory. */
export function directoryHeader(member: Member): Uint8Array {
  const { path, size, crc32, offset } = member;
  // 4.5.3: only what does not fit, in this order.
  const large = [
    ...(size >= MAX_32 ? [u64(size), u64(size)] : []),
    ...(offset >= MAX_32 ? [u64(offset)] : []),
  ];
  const extra = extraFields(member, large);
  return pack(
    [
      u32(0x02014b50),
      u16(MADE_ON_UNIX),
      u16(large.length > 0 ? ZIP64 : PLAIN),
      ...flagsToTime(member),
      u32(crc32),
      capped32(size),
      capped32(size),
      u16(path.length),
      u16(extra.length),
      u16(0), // comment
      u16(0), // disk
      u16(0), // internal attributes
      u32(REGULAR_0644),
      capped32(offset),
    ],
    path,
    extra,
  );
}

/** The end of a ZIP, whose central directory has so many entries and bytes and begins at `offset`. */
export function endOfDirectory(entries: number, size: number, offset: number): Uint8Array {
  const end = pack([
    u32(0x06054b50),
    u16(0), // this disk
    u16(0), // the directory's
    capped16(entries),
    capped16(entries),
    capped32(size),
    capped32(offset),
    u16(0), // comment
  ]);
  if (entries < MAX_16 && size < MAX_32 && offset < MAX_32) return end;
  const end64 = pack([
    u32(0x06064b50),
    u64(44), // what follows of this record
    u16(MADE_ON_UNIX),
    u16(ZIP64),
    u32(0),
    u32(0),
    u64(entries),
    u64(entries),
    u64(size),
    u64(offset),
  ]);
  const locator = pack([u32(0x07064b50), u32(0), u64(offset + size), u32(1)]);
  return Buffer.concat([end64, locator, end]);
}

function flagsToTime({ modifiedAt }: Member): Field[] {
  const { date, time } = dosTime(modifiedAt);
  return [u16(UTF8), u16(STORED), u16(time), u16(date)];
}

/** Two-second steps from 1980 to 2107. The format has no zone: UTC, the same for every reader. */
function dosTime(seconds: number): { date: number; time: number } {
  const at = new Date(Math.min(Math.max(seconds, FIRST_DOS_SECOND), LAST_DOS_SECOND) * 1000);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return { date, time };
}

function extraFields({ modifiedAt }: Member, large: Field[]): Uint8Array {
  const zip64 = large.length > 0 ? [u16(0x0001), u16(large.length * 8), ...large] : [];
  return pack([...zip64, ...timestamp(modifiedAt)]);
}

/** Info-ZIP's extended timestamp: the second in UTC, for readers that take the DOS time as local. It ends in 2038. */
function timestamp(seconds: number): Field[] {
  if (seconds < 0 || seconds > 0x7fff_ffff) return [];
  const onlyModified = u8(1);
  return [u16(0x5455), u16(5), onlyModified, u32(seconds)];
}
