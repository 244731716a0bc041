import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { expectOrder, expectRepaired } from "../testing/faults.ts";
import { codeOf, incoming, openTestDesk, slowBody, type TestDesk, ticketIn } from "../testing/file-desk.ts";
import { append, appendBody, begin, brokenBody, contentOf, owner, sha256 } from "../testing/resumable.ts";
import type { StoredFile } from "./ports.ts";

setDefaultTimeout(60_000);

const limits = { maxFiles: 8, maxBytes: 4000, maxFileSize: 2500 };
/** Nobody is cut for being slow: that would happen beside what is looked at. */
const patience = { stall: Number.POSITIVE_INFINITY, window: Number.POSITIVE_INFINITY, minBytesPerSecond: 0 };
const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** An upload in parts, as its sender knows it. */
interface Sending {
  key: string;
  bytes: Uint8Array;
}

/** What people and a clock do to a desk, and what they were promised. */
function createWorld(opened: TestDesk) {
  let desk = opened;
  const tickets: { ticket: string; fileId: string }[] = [];
  const sending: Sending[] = [];
  const stalled: { sender: ReturnType<typeof slowBody>; ended: Promise<unknown> }[] = [];
  /** By id: what was acknowledged, and is not removed. */
  const kept = new Map<string, { sha256: string; expiresAt: number }>();
  let salt = 0;

  const one = <T>(all: readonly T[], pick: number): T | undefined => all[pick % all.length];
  const ticketOf = (pick: number) => one(tickets, pick)?.ticket ?? "x".repeat(22);
  const bytesOf = (size: number) => {
    salt += 1;
    // Now and then the same ones again.
    return new Uint8Array(size).fill(salt % 5);
  };

  function promise(file: StoredFile | undefined): void {
    if (!file || file.members !== undefined || file.shareId !== file.id) return;
    kept.set(file.id, { sha256: file.sha256, expiresAt: file.expiresAt });
  }

  async function send(pick: number, size: number, how: "part" | "cut" | "stall"): Promise<void> {
    const upload = one(sending, pick);
    if (!upload) return;
    const { received } = await desk.files.progress(upload.key);
    const part = upload.bytes.slice(received, received + size);
    if (how === "part") promise((await append(desk, upload.key, received, part)).file);
    if (how === "cut") await appendBody(desk, upload.key, brokenBody(part), received);
    if (how === "stall") {
      const sender = slowBody();
      // What comes of it is known at the link, if at all.
      const ended = codeOf(appendBody(desk, upload.key, sender.body, received));
      await Promise.race([sender.wanted(), ended]);
      stalled.push({ sender, ended });
    }
  }

  const acts = {
    async issue() {
      const link = await desk.files.issue({ ownerId: owner });
      tickets.push({ ticket: ticketIn(link), fileId: link.fileId });
    },
    prepare: (pick: number, size: number) => desk.files.prepare(ticketOf(pick), { files: (size % 4) + 1 }),
    async put(pick: number, size: number) {
      const text = String.fromCharCode(97 + (salt++ % 5)).repeat(size);
      const given = incoming({ name: `${size % 3}.txt`, text, ...(size % 2 && { length: undefined }) });
      promise(await desk.files.upload(ticketOf(pick), given));
    },
    async add(_: number, size: number) {
      promise(await desk.files.add({ ownerId: owner }, incoming({ text: "x".repeat(size % 7) })));
    },
    async begin(pick: number, size: number) {
      const bytes = bytesOf(size);
      const length = size % 3 === 0 ? undefined : size;
      const { key, file } = await begin(desk, ticketOf(pick), length, `${size % 3}.bin`);
      sending.push({ key, bytes });
      promise(file);
    },
    async announce(pick: number) {
      const upload = one(sending, pick);
      if (upload) await desk.files.announce(upload.key, upload.bytes.length);
    },
    part: (pick: number, size: number) => send(pick, size, "part"),
    rest: (pick: number) => send(pick, Number.MAX_SAFE_INTEGER, "part"),
    cut: (pick: number, size: number) => send(pick, size, "cut"),
    stall: (pick: number) => send(pick, 0, "stall"),
    async wake(pick: number, size: number) {
      const [one] = stalled.splice(pick % Math.max(stalled.length, 1), 1);
      if (size % 2) one?.sender.send("x");
      if (size % 3) one?.sender.end();
      else one?.sender.break(new Error("ECONNRESET"));
      await one?.ended;
    },
    async cancel(pick: number) {
      const upload = one(sending, pick);
      if (upload) await desk.files.cancel(upload.key);
    },
    async close(pick: number) {
      promise(await desk.files.close(ticketOf(pick)));
    },
    async remove(pick: number, size: number) {
      const id = size % 2 ? one([...kept.keys()], pick) : one(tickets, pick)?.fileId;
      if (id === undefined) return;
      await desk.files.remove(id, "admin");
      kept.delete(id);
    },
    async extend(pick: number) {
      const id = one([...kept.keys()], pick);
      if (id !== undefined) promise(await desk.files.extend(id, "admin", 2 * DAY));
    },
    async wait(pick: number, size: number) {
      desk.clock.now += size * ([SECOND, 60 * SECOND, 600 * SECOND][pick % 3] ?? SECOND);
      // A machine that slept has missed its beats.
      if (size % 2) desk.beat();
    },
    cleanUp: async () => expect(await desk.cleanUp()).toMatchObject({ failed: 0 }),
    async crash() {
      stalled.length = 0;
      desk = await desk.crash();
      expect(await desk.repair()).toMatchObject({ failed: 0 });
    },
  };

  return {
    acts,
    async [Symbol.asyncDispose]() {
      await desk[Symbol.asyncDispose]();
    },
    /** Everything that was promised holds, and nothing is astray. */
    async judge() {
      for (const { sender, ended } of stalled) {
        sender.break(new Error("ECONNRESET"));
        await ended;
      }
      await acts.crash();
      await desk.cleanUp();
      await expectRepaired(desk);
      for (const [id, { sha256: sent, expiresAt }] of kept) {
        if (expiresAt > desk.clock.now) expect(sha256(await contentOf(desk, id))).toBe(sent);
        else expect(await codeOf(desk.files.get(id))).toBe("file.unknown");
      }
      // What nobody goes on with is shared as it is, or goes; and what is shared goes in its time.
      for (let times = 0; times < 3; times += 1) {
        desk.clock.now += 40 * DAY;
        await desk.cleanUp();
      }
      expect(await expectRepaired(desk)).toEqual([]);
      expect(await desk.store.blobs.total("disk")).toEqual({ blobs: 0, bytes: 0 });
    },
    async inOrder() {
      await expectOrder(desk);
      const { files, bytes } = await desk.files.usage(owner);
      expect(files).toBeLessThanOrEqual(limits.maxFiles);
      expect(bytes).toBeLessThanOrEqual(limits.maxBytes);
    },
  };
}

type Act = keyof ReturnType<typeof createWorld>["acts"];

const usual: Act[] = ["issue", "prepare", "put", "begin", "begin", "part", "part", "rest", "cut", "announce"];
const unusual: Act[] = [
  "stall",
  "wake",
  "add",
  "cancel",
  "close",
  "remove",
  "extend",
  "wait",
  "cleanUp",
  "crash",
];
const step = fc.record({
  act: fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 3 }, fc.constantFrom(...unusual)),
  pick: fc.nat(5),
  size: fc.nat(1500),
});

test("whatever is begun, cut, crashed, cancelled, closed, removed and waited for, nothing is astray and no promise broken", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      await using world = createWorld(await openTestDesk({ limits, paceRules: patience }));
      await world.acts.issue();
      await world.acts.issue();
      for (const { act, pick, size } of steps) {
        expect(await codeOf(world.acts[act](pick, size)), act).toBeString();
        await world.inOrder();
      }
      await world.judge();
    }),
    { numRuns: 25 },
  );
});
