import { expect, test } from "bun:test";
import fc from "fast-check";
import { codeOf, incoming, openTestDesk, type TestDesk, type TestDeskOptions } from "../testing/file-desk.ts";
import { append, begin, contentOf, newTicket, owner, sound } from "../testing/resumable.ts";
import type { BlobStore } from "./blob-ports.ts";
import type { FileIndex } from "./ports.ts";

const add = (desk: TestDesk, text = "same", ownerId = owner) =>
  desk.files.add({ ownerId }, incoming({ text }));
const blobsOf = (desk: TestDesk) => Array.fromAsync(desk.blobs.keys());

test("the same bytes are kept once, whoever sends them and however", async () => {
  await using desk = await openTestDesk();
  const first = await add(desk);
  const second = await add(desk, "same", "2");
  const third = await desk.files.upload(await newTicket(desk), incoming({ text: "same" }));
  const { key } = await begin(desk, await newTicket(desk), 4);
  const { file: fourth } = await append(desk, key, 0, "same");
  expect(await blobsOf(desk)).toEqual([first.blobKey ?? ""]);
  expect(new Set([first, second, third, fourth].map((file) => file?.blobKey)).size).toBe(1);
  expect(await desk.blobs.sweep(() => false)).toBe(0);
  expect(await desk.files.usage(owner)).toEqual({ files: 3, bytes: 12 });
  expect(await desk.files.usage("2")).toEqual({ files: 1, bytes: 4 });
});

test("of two files with the same bytes one goes alone, and with the last the bytes go", async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    await using desk = await openTestDesk();
    const files = [await add(desk), await add(desk)];
    const [goes, stays] = order.map((at) => files[at]?.id ?? "");
    await desk.files.remove(goes ?? "", "admin");
    expect((await contentOf(desk, stays ?? "")).toString()).toBe("same");
    expect(await desk.verify()).toEqual(sound);
    await desk.files.remove(stays ?? "", "admin");
    expect(await blobsOf(desk)).toEqual([]);
    expect(await desk.store.blobs.total("disk")).toEqual({ blobs: 0, bytes: 0 });
  }
});

test("files with the same bytes that expire together go together", async () => {
  await using desk = await openTestDesk();
  await add(desk);
  await add(desk);
  const later = await desk.files.add(
    { ownerId: owner, expireAfter: 10 * 86_400_000 },
    incoming({ text: "same" }),
  );
  desk.clock.now += 7 * 86_400_000;
  expect(await desk.cleanUp()).toMatchObject({ expired_files: 2, failed: 0 });
  expect((await contentOf(desk, later.id)).toString()).toBe("same");
  desk.clock.now += 7 * 86_400_000;
  await desk.cleanUp();
  expect(await blobsOf(desk)).toEqual([]);
});

/** Runs what is put into `meanwhile`, once, at that step of the desk's work. */
function interleaving(step: string) {
  const waiting: { meanwhile?: (() => Promise<unknown>) | undefined } = {};
  async function at(here: string) {
    if (here !== step) return;
    const { meanwhile } = waiting;
    waiting.meanwhile = undefined;
    await meanwhile?.();
  }
  const around =
    <A extends unknown[], R>(name: string, run: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      await at(`before ${name}`);
      const result = await run(...args);
      await at(`after ${name}`);
      return result;
    };
  const options: TestDeskOptions = {
    wrapIndex: (index: FileIndex) => ({
      ...index,
      markDeleting: around("markDeleting", index.markDeleting),
      retire: around("retire", index.retire),
      remove: around("remove", index.remove),
      finish: around("finish", index.finish),
    }),
    wrapBlobs: (blobs: BlobStore) => ({ ...blobs, delete: around("delete", blobs.delete) }),
  };
  return { options, waiting };
}

test.each([
  "before markDeleting",
  "after markDeleting",
  "after retire",
  "before delete",
  "after delete",
  "before remove",
  "after remove",
])("bytes that come anew while the last file with them goes are there (%s)", async (step) => {
  const { options, waiting } = interleaving(step);
  await using desk = await openTestDesk(options);
  const { id } = await add(desk);
  let anew = "";
  waiting.meanwhile = async () => {
    anew = (await add(desk)).id;
  };
  await desk.files.remove(id, "admin");
  expect((await contentOf(desk, anew)).toString()).toBe("same");
  expect(await desk.verify()).toEqual(sound);
  expect(await blobsOf(desk)).toHaveLength(1);
  await desk.files.remove(anew, "admin");
  expect(await blobsOf(desk)).toEqual([]);
});

test("bytes that were there when asked and are gone a moment later are stored after all", async () => {
  const { options, waiting } = interleaving("before finish");
  await using desk = await openTestDesk(options);
  const first = await add(desk);
  // The second upload has found the first one's bytes, so that it need not store its own.
  waiting.meanwhile = () => desk.files.remove(first.id, "admin");
  const second = await add(desk);
  expect(await codeOf(desk.files.get(first.id))).toBe("file.unknown");
  expect((await contentOf(desk, second.id)).toString()).toBe("same");
  expect(await blobsOf(desk)).toEqual([second.blobKey ?? ""]);
  expect(await desk.verify()).toEqual(sound);
});

test("a bundle of the same file over and over holds it once, and gives it back once", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const ticket = link.url.split("/u/")[1] ?? "";
  await desk.files.prepare(ticket, { files: 5 });
  for (let i = 0; i < 5; i += 1)
    await desk.files.upload(ticket, incoming({ name: `${i}.txt`, text: "same" }));
  const lone = await add(desk);
  expect(await blobsOf(desk)).toHaveLength(1);
  await desk.files.remove(link.fileId, "admin");
  expect((await contentOf(desk, lone.id)).toString()).toBe("same");
  await desk.files.remove(lone.id, "admin");
  expect(await blobsOf(desk)).toEqual([]);
});

test("whatever comes and goes at once, no file loses its bytes and no bytes lose their file", async () => {
  const step = fc.record({ text: fc.constantFrom("a", "b"), remove: fc.boolean(), turns: fc.nat(30) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 4 }), async (people) => {
      await using desk = await openTestDesk();
      const lives = new Map<string, string>();
      async function act(steps: (typeof people)[number]) {
        const mine: string[] = [];
        for (const { text, remove, turns } of steps) {
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          const { id } = await add(desk, text);
          lives.set(id, text);
          mine.push(id);
          const gone = remove ? mine.shift() : undefined;
          if (gone === undefined) continue;
          lives.delete(gone);
          await desk.files.remove(gone, "admin");
        }
      }
      await Promise.all(people.map(act));
      for (const [id, text] of lives) expect((await contentOf(desk, id)).toString()).toBe(text);
      expect(await desk.verify()).toEqual(sound);
      expect(await blobsOf(desk)).toHaveLength(new Set(lives.values()).size);
      expect((await desk.files.usage(owner)).bytes).toBe(lives.size);
    }),
    { numRuns: 25 },
  );
});
