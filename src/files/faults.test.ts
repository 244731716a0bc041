import { expect, setDefaultTimeout, test } from "bun:test";
import { isWisError } from "../errors.ts";
import { createFaults, expectOrder, expectRepaired, lookAfter } from "../testing/faults.ts";
import { bodyOf, codeOf, incoming, openTestDesk, type TestDesk, ticketIn } from "../testing/file-desk.ts";
import { appendBody, begin, contentOf, owner, sha256 } from "../testing/resumable.ts";
import { DEAD_AFTER } from "./live-uploads.ts";

// Hundreds of faults one after the other, each with a start or a clean-up behind it.
setDefaultTimeout(60_000);

const DAY = 86_400_000;
const SIZE = 150_000;
/** Each half is a write. */
const HALF = SIZE / 2;

/** Other bytes each time: what is stored already would not be stored again. */
const bytesFor = (nth: number) => new Uint8Array(SIZE).map((_, i) => (i * 31 + nth) % 253);
const bodyFor = (bytes: Uint8Array) => bodyOf([bytes.slice(0, HALF), bytes.slice(HALF)]);

/** Something people do that can fail anywhere. It may be tried again until it succeeds; gives the share's id, if one is left. */
type Attempt = () => Promise<string | undefined>;
type Deed = (desk: TestDesk, bytes: Uint8Array) => Promise<Attempt>;

const plain =
  (length: number | undefined): Deed =>
  async (desk, bytes) => {
    const ticket = ticketIn(await desk.files.issue({ ownerId: owner }));
    return async () => {
      // Whoever gets no answer finds out at the link.
      const view = await desk.files.inspect(ticket);
      if (view.state === "used") return view.file?.id;
      return (await desk.files.upload(ticket, incoming({ body: bodyFor(bytes), length }))).id;
    };
  };

/** Bytes that are kept already. */
const known: Deed = async (desk, bytes) => {
  await desk.files.add({ ownerId: "2" }, incoming({ body: bodyFor(bytes), length: SIZE }));
  return await plain(SIZE)(desk, bytes);
};

/** A file without a link. Who gets no answer sends it again, and has it twice. */
const add: Deed = async (desk, bytes) => async () =>
  (await desk.files.add({ ownerId: owner }, incoming({ body: bodyFor(bytes), length: SIZE }))).id;

/** Sends one file in two parts, asking before where it stands. */
function inParts(desk: TestDesk, ticket: string, path: string, bytes: Uint8Array): () => Promise<string> {
  let key: string | undefined;
  return async () => {
    const at = key === undefined ? undefined : await desk.files.progress(key).catch(ifForgotten);
    const begun = at ?? (await begin(desk, ticket, SIZE, path));
    key = begun.key;
    let { received, file } = begun;
    while (!file) {
      const part = bodyOf([bytes.slice(received, received < HALF ? HALF : SIZE)]);
      ({ received, file } = await appendBody(desk, key, part, received));
    }
    return file.url.split("/f/")[1] ?? "";
  };
}

/** An upload that is gone is begun anew. */
function ifForgotten(error: unknown): undefined {
  if (isWisError(error) && error.code === "upload.unknown") return undefined;
  throw error;
}

const resumable: Deed = async (desk, bytes) => {
  const ticket = ticketIn(await desk.files.issue({ ownerId: owner }));
  return inParts(desk, ticket, "a.bin", bytes);
};

/** A plain upload and one in parts. */
const bundle: Deed = async (desk, bytes) => {
  const link = await desk.files.issue({ ownerId: owner });
  const ticket = ticketIn(link);
  await desk.files.prepare(ticket, { files: 2 });
  const second = inParts(desk, ticket, "b.bin", bytes);
  return async () => {
    const view = await desk.files.inspect(ticket);
    const hasFirst =
      view.state !== "open" || view.arriving.some(({ path, ready }) => ready && path === "a.bin");
    const first = () => incoming({ name: "a.bin", body: bodyFor(bytes.toReversed()), length: SIZE });
    if (!hasFirst) await desk.files.upload(ticket, first());
    await second();
    return (await desk.files.get(link.fileId)).id;
  };
};

/** A file that goes; its removal may have gone through unseen. */
const remove: Deed = async (desk, bytes) => {
  const file = incoming({ body: bodyFor(bytes), length: SIZE });
  const { id } = await desk.files.add({ ownerId: owner }, file);
  return async () => {
    await desk.files.remove(id, "admin").catch((error: unknown) => {
      if (!isWisError(error) || error.code !== "file.unknown") throw error;
    });
    return undefined;
  };
};

/** What has expired, and what a process that died has left. */
const cleanUp: Deed = async (desk, bytes) => {
  await (await resumable(desk, bytes))();
  const unfinished = ticketIn(await desk.files.issue({ ownerId: owner }));
  const { key } = await begin(desk, unfinished, SIZE);
  await appendBody(desk, key, bodyOf(["hello"]));
  desk.clock.now += 8 * DAY;
  return async () => {
    await desk.cleanUp();
    return undefined;
  };
};

async function expectWhole(desk: TestDesk, id: string, bytes: Uint8Array): Promise<void> {
  const file = await desk.files.get(id);
  const parts = file.members === undefined ? [file] : await desk.files.members(file);
  for (const part of parts) {
    const sent = part.path === "a.bin" ? bytes.toReversed() : bytes;
    expect(sha256(await contentOf(desk, part.id))).toBe(sha256(sent));
  }
}

/** Everything that is there goes when its time has come. */
async function expectEmptyInTheEnd(desk: TestDesk): Promise<void> {
  desk.clock.now += 40 * DAY;
  await desk.cleanUp();
  await desk.cleanUp();
  await desk.repair();
  expect(await Array.fromAsync(desk.files.list({}))).toEqual([]);
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.store.blobs.total("disk")).toEqual({ blobs: 0, bytes: 0 });
  expect(await desk.blobs.sweep(() => false)).toBe(0);
}

const deeds = {
  "an upload": plain(SIZE),
  "an upload of unknown length": plain(undefined),
  "an upload of known bytes": known,
  "a file added": add,
  "an upload in parts": resumable,
  "a bundle": bundle,
  "a removal": remove,
  "a clean-up": cleanUp,
};
const faults = (["disk", "database"] as const).flatMap((where) =>
  (["once", "lost", "all"] as const).map((mode) => ({ where, mode })),
);

const cases = Object.entries(deeds).flatMap(([name, deed]) =>
  faults.map((fault) => ({ name, deed, ...fault })),
);

test.each(cases)(
  "$name: whichever call to the $where fails ($mode), it says so, nothing is astray, and trying again succeeds",
  async ({ deed, where, mode }) => {
    const failing = createFaults();
    await using desk = await openTestDesk(failing.options);
    const failed: string[] = [];
    for (let nth = 1; ; nth += 1) {
      const bytes = bytesFor(nth);
      const attempt = await deed(desk, bytes);
      failing.arm(where, mode, nth);
      const code = await codeOf(attempt());
      const step = failing.disarm();
      if (step === undefined) break;
      failed.push(step);
      expect(["no error", "disk.full", "database.failed"], `${step} failed`).toContain(String(code));
      // One process dies of it, the other goes on.
      if (nth % 2 === 0) await expectRepaired(desk);
      else {
        desk.clock.now += DEAD_AFTER + 1;
        await lookAfter(desk);
        await expectOrder(desk);
      }
      const id = await attempt();
      if (id !== undefined) await expectWhole(desk, id, bytes);
      await expectRepaired(desk);
    }
    expect(failed.length).toBeGreaterThan(0);
    await expectEmptyInTheEnd(desk);
  },
);
