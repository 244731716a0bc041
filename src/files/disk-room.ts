import { WisError } from "../errors.ts";
import type { BlobPlace, BlobStore, BlobStores } from "./blob-ports.ts";

/** The disk is looked at again after so many bytes: often enough for a margin of gigabytes, seldom enough to cost nothing. */
const CHECK_EVERY = 16 * 2 ** 20;

export interface DiskRoomDeps {
  stores: Pick<BlobStores, "place"> & { at(place: BlobPlace): Pick<BlobStore, "free"> };
  /** Bytes that uploads leave free. */
  minFreeDisk: number;
}

/** Room on the disk that one upload was promised. */
export interface DiskRoom extends Disposable {
  /** Says that so many bytes were written. Throws WisError `disk.full` when less than `minFreeDisk` is left. */
  wrote(bytes: number): Promise<void>;
}

export interface DiskRooms {
  /** Promises room for `size` more bytes beside everything promised before. Throws WisError `disk.full`. */
  take(size: number): Promise<DiskRoom>;
}

/** Shares the disk among this process's uploads, so that two of them are not both let in to the last gigabyte. */
export function createDiskRooms({ stores, minFreeDisk }: DiskRoomDeps): DiskRooms {
  let promised = 0;
  const free = () => stores.at(stores.place).free();

  return {
    async take(size) {
      if ((await free()) - promised - size < minFreeDisk) throw diskFull();
      promised += size;
      let left = size;
      let unchecked = 0;

      function giveUp(bytes: number) {
        const given = Math.min(bytes, left);
        left -= given;
        promised -= given;
      }

      return {
        async wrote(bytes) {
          giveUp(bytes);
          unchecked += bytes;
          if (unchecked < CHECK_EVERY) return;
          unchecked = 0;
          if ((await free()) < minFreeDisk) throw diskFull();
        },
        [Symbol.dispose]: () => giveUp(left),
      };
    },
  };
}

function diskFull(): WisError {
  return new WisError("disk.full", {
    say: "The server's disk has no room for this file.",
    hint: "Try again later, or tell the admin that the disk is nearly full.",
  });
}
