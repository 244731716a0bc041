import { expect, test } from "bun:test";
import { onlyDisk, openTestDesk } from "../testing/file-desk.ts";
import { receivedOf } from "./ticket.ts";

const key = "k".repeat(22);

/** A desk whose disk has five bytes of an unfinished upload. */
async function openUnfinished() {
  const desk = await openTestDesk();
  const writer = await desk.blobs.create(key);
  await writer.write(new TextEncoder().encode("hello"));
  await writer.close();
  return desk;
}

test("an upload is as long as its bytes, unfinished or whole", async () => {
  await using desk = await openUnfinished();
  const { blobs } = desk;
  expect(await receivedOf(onlyDisk(blobs), "n".repeat(22))).toBe(0);
  expect(await receivedOf(onlyDisk(blobs), key)).toBe(5);
  await (await blobs.resume(key))?.writer.commit();
  expect(await receivedOf(onlyDisk(blobs), key)).toBe(5);
});

test.each(["goes on with it", "ends it"])(
  "its length is right though somebody %s at that moment",
  async (what) => {
    await using desk = await openUnfinished();
    const { blobs } = desk;
    let moved = false;
    const moving = onlyDisk({
      ...blobs,
      async unfinished(asked) {
        const found = await blobs.unfinished(asked);
        const resumed = moved ? undefined : await blobs.resume(asked);
        moved = true;
        if (what === "ends it") await resumed?.writer.commit();
        await resumed?.writer.close();
        return found;
      },
    });
    expect(await receivedOf(moving, key)).toBe(5);
  },
);
