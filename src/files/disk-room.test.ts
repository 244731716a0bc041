import { expect, test } from "bun:test";
import { createDiskRooms } from "./disk-room.ts";

const MB = 1e6;

/** A disk of so many bytes, of which tests use some. */
function disk(free: number) {
  const state = { free };
  return {
    state,
    rooms: createDiskRooms({
      stores: { place: "disk", at: () => ({ free: async () => state.free }) },
      minFreeDisk: 100 * MB,
    }),
  };
}

test("room is given down to the margin and not beyond", async () => {
  const { rooms } = disk(1000 * MB);
  using _ = await rooms.take(900 * MB);
  await expect(rooms.take(1)).rejects.toMatchObject({ code: "disk.full" });
});

test("two uploads are not both promised the last of the disk", async () => {
  const { rooms } = disk(1000 * MB);
  const asked = await Promise.allSettled([rooms.take(600 * MB), rooms.take(600 * MB)]);
  expect(asked.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("an upload that ended gives its room back", async () => {
  const { rooms } = disk(1000 * MB);
  (await rooms.take(600 * MB))[Symbol.dispose]();
  using again = await rooms.take(900 * MB);
  expect(again).toBeDefined();
});

test("what was written is no longer promised on top of what the disk already counts", async () => {
  const { rooms, state } = disk(1000 * MB);
  using first = await rooms.take(500 * MB);
  await first.wrote(500 * MB);
  state.free = 500 * MB;
  using second = await rooms.take(400 * MB);
  expect(second).toBeDefined();
});

test("an upload is ended when something else fills the disk meanwhile", async () => {
  const { rooms, state } = disk(1000 * MB);
  using room = await rooms.take(500 * MB);
  await room.wrote(MB);
  state.free = 99 * MB;
  await room.wrote(MB);
  await expect(room.wrote(16 * MB)).rejects.toMatchObject({ code: "disk.full" });
});
