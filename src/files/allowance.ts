import { WisError } from "../errors.ts";
import type { FileLimits } from "../members/limits.ts";
import type { DiskRoom } from "./disk-room.ts";
import type { FileIndex, FileRow } from "./ports.ts";
import { nextReservation, tooLarge, tooManyBytes } from "./quota.ts";

export interface AllowanceDeps {
  index: Pick<FileIndex, "reserve" | "usage">;
}

export interface AllowanceInput {
  row: Pick<FileRow, "id" | "ownerId" | "size" | "length">;
  limits: FileLimits;
  room: DiskRoom;
  /** Bytes that are here already, of an upload that goes on. */
  received: number;
}

/** How far one upload may grow. `bound` is for every chunk and cheap, `admit` for every write. */
export function createAllowance({ index }: AllowanceDeps, { row, limits, room, received }: AllowanceInput) {
  const { id, ownerId } = row;
  // Null: nobody knows, so the quota is reserved in steps.
  const { length } = row;
  let reserved = row.size;
  let admitted = received;

  async function reserve(total: number) {
    const generous = nextReservation(total, limits.maxFileSize);
    for (const size of [generous, total]) {
      if (!(await index.reserve(id, size, limits.maxBytes))) continue;
      reserved = size;
      return;
    }
    throw tooManyBytes(await index.usage(ownerId), limits);
  }

  return {
    /** Throws WisError `file.too_large`, `upload.length_mismatch`. */
    bound(arrived: number): void {
      const total = received + arrived;
      if (total > limits.maxFileSize) throw tooLarge(limits);
      if (length !== null && total > length) throw lengthMismatch(length, "more");
    },
    /** Throws WisError `quota.bytes`, `disk.full`. */
    async admit(total: number): Promise<void> {
      if (total > reserved) await reserve(total);
      await room.wrote(total - admitted);
      admitted = total;
    },
    /** Asked at the end of the body. Throws WisError `upload.length_mismatch`. */
    complete(total: number): void {
      if (length !== null && total < length) throw lengthMismatch(length, String(total));
    },
  };
}

function lengthMismatch(said: number, got: string): WisError {
  return new WisError("upload.length_mismatch", {
    say: `The file was announced with ${said} bytes, but ${got} arrived.`,
    hint: "Send it again: the same link works until it expires.",
  });
}
