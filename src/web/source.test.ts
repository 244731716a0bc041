import { expect, test } from "bun:test";
import type { StoredFile } from "../files/ports.ts";
import { openTestWeb } from "../testing/open-test-web.ts";
import { lastOf } from "../testing/tus-client.ts";
import { zipSource } from "./source.ts";

const MB = 1_000_000;
const { signal } = new AbortController();

/** A ZIP of zeros that counts what is read of it. */
function countingZip() {
  const counted = { bytes: 0 };
  const read = ({ start, end }: { start: number; end: number }) => {
    let left = end - start + 1;
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = new Uint8Array(Math.min(left, 16_384));
          left -= chunk.length;
          counted.bytes += chunk.length;
          controller.enqueue(chunk);
          if (left === 0) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  };
  return { counted, zip: async () => ({ size: 4 * MB, etag: "e", read }) };
}

async function someFile(): Promise<StoredFile> {
  await using web = await openTestWeb();
  return await web.files.get(lastOf(await web.share("a.txt", "x")));
}

test("of a ZIP no more is held for somebody who does not read than goes into 64 KiB", async () => {
  const { counted, zip } = countingZip();
  const source = await zipSource({ zip }, await someFile(), signal);
  const stalled = await Promise.all(
    Array.from({ length: 100 }, (_, at) => source.open({ start: at, end: at + 3 * MB })),
  );
  expect(counted.bytes).toBe(0);
  expect(stalled.every((bytes) => bytes instanceof ReadableStream)).toBe(true);

  const short = await source.open({ start: 1, end: 65_536 });
  expect([short instanceof Blob, counted.bytes]).toEqual([true, 65_536]);
  expect(await source.open({ start: 0, end: 65_536 })).toBeInstanceOf(ReadableStream);
});
