import { WisError } from "../../errors.ts";
import { decodeText } from "../../lib/decode-text.ts";
import type { Attachment } from "../llm.ts";
import { type Contents, excerptOf, lengthOf, shareRoom } from "./contents.ts";
import { type Framed, frame, shownName } from "./frame.ts";
import { type Kind, kindOf } from "./kind.ts";
import { unreadable } from "./refusal.ts";
import { readPacked } from "./thread.ts";

export interface ReadOptions {
  /** For all texts together; their frames come on top. */
  maxCharacters: number;
  /** 0: the model can't see. */
  maxImages: number;
  signal: AbortSignal;
}

/** What a prompt carries of a question's attachments. */
export interface ReadAttachments {
  /** The files' texts, each in a block that names its file; empty for none. */
  documents: string;
  /** PNG, JPEG, WebP and GIF, as they came. */
  images: Uint8Array[];
  /** A sentence for each file of which only a part was taken: "report.pdf: 12 of 80 pages". */
  truncated: string[];
}

const MAX_FILES = 10;
/** Bytes. */
const LARGEST_IMAGE = 8_000_000;
const LARGEST_PACKED = 25_000_000;
/** So many bytes at least tell whether a file is text. */
const SMALLEST_HEAD = 65_536;

interface File {
  name: string;
  bytes: Uint8Array;
  kind: Kind;
}

/**
 * Turns what came with a question into what a prompt can carry: images as they are, everything else as text. Small
 * texts are whole; large ones share the room that is left. Throws WisError attachment.unreadable, which names the
 * file, and llm.queue_full when too many wait to be read; rejects with the signal's reason when aborted.
 */
export async function readAttachments(
  attachments: readonly Attachment[],
  { maxCharacters, maxImages, signal }: ReadOptions,
): Promise<ReadAttachments> {
  signal.throwIfAborted();
  if (attachments.length > MAX_FILES) throw tooManyFiles(attachments.length);
  const files = attachments.map(fileOf);
  const images = files.filter(({ kind }) => kind === "image");
  checkImages(images, maxImages);
  const excerpts = await excerptsOf(files, maxCharacters, signal);
  return {
    documents: frame(excerpts),
    images: images.map(({ bytes }) => bytes),
    truncated: excerpts.flatMap(({ name, share }) => (share === undefined ? [] : [`${name}: ${share}`])),
  };
}

function fileOf({ name: given, bytes }: Attachment): File {
  const file = { name: shownName(given), bytes, kind: kindOf(bytes) };
  if (bytes.length === 0) throw unreadable(file.name, "empty");
  if (isPacked(file) && bytes.length > LARGEST_PACKED) throw unreadable(file.name, "large");
  return file;
}

function isPacked(file: File): file is File & { kind: "pdf" | "zip" } {
  return file.kind === "pdf" || file.kind === "zip";
}

async function excerptsOf(
  files: readonly File[],
  maxCharacters: number,
  signal: AbortSignal,
): Promise<Framed[]> {
  const texts = files.filter(({ kind }) => kind === "other");
  const contents = new Map<File, Contents>([
    ...texts.map((file) => [file, textOf(file, maxCharacters)] as const),
    ...(await readPacked(files.filter(isPacked), { maxCharacters, signal })),
  ]);
  // In the order in which they came.
  const read = files.flatMap((file) => {
    const held = contents.get(file);
    return held ? [{ name: file.name, held }] : [];
  });
  const rooms = shareRoom(
    read.map(({ held }) => lengthOf(held)),
    maxCharacters,
  );
  return read.map(({ name, held }, index) => ({ name, ...excerptOf(held, rooms[index] ?? 0) }));
}

/** More than `maxCharacters` where there are more: a character takes 4 bytes at most. */
function textOf({ name, bytes }: File, maxCharacters: number): Contents {
  const head = bytes.subarray(0, Math.max(SMALLEST_HEAD, 4 * (maxCharacters + 1)));
  const text = decodeText(head, head.length < bytes.length);
  if (text === undefined) throw unreadable(name, "unknown");
  return { parts: [text], total: 1 };
}

function checkImages(images: readonly File[], maxImages: number): void {
  const [first] = images;
  if (first && maxImages === 0) {
    throw new WisError("attachment.unreadable", {
      say: `${first.name} is an image, and the model can't see images.`,
      hint: "Leave it out, or choose a model that can.",
    });
  }
  if (images.length > maxImages) {
    throw new WisError("attachment.unreadable", {
      say: `${images.length} images are too many for one question: ${maxImages} at most.`,
      hint: "Attach the others to another question.",
    });
  }
  const large = images.find(({ bytes }) => bytes.length > LARGEST_IMAGE);
  if (large) throw unreadable(large.name, "heavy");
}

function tooManyFiles(count: number): WisError {
  return new WisError("attachment.unreadable", {
    say: `${count} files are too many for one question: ${MAX_FILES} at most.`,
    hint: "Attach the others to another question.",
  });
}
