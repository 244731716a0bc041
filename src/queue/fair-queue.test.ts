import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createFairQueue } from "./fair-queue.ts";
import type { Lease } from "./ports.ts";

const one = () => createFairQueue({ hosts: [{ name: "local", slots: 1 }], maxQueue: 10 });
const never = new AbortController().signal;

/** Everything that happens to the requests of one run, seen from outside. */
function watch(queue: ReturnType<typeof createFairQueue>) {
  const granted: string[] = [];
  const held: { name: string; lease: Lease }[] = [];
  const waiting = new Map<string, { key: string; position: number; abort: AbortController }>();
  const told: string[] = [];
  return {
    granted,
    held,
    waiting,
    told,
    async ask(key: string, name: string) {
      const abort = new AbortController();
      waiting.set(name, { key, position: 0, abort });
      const lease = queue.acquire({
        key,
        signal: abort.signal,
        onPosition(position) {
          told.push(`${name}:${position}`);
          waiting.set(name, { key, position, abort });
        },
      });
      lease.then(
        (lease) => {
          waiting.delete(name);
          granted.push(name);
          held.push({ name, lease });
        },
        () => waiting.delete(name),
      );
      await settle();
    },
    async release(index = 0) {
      held.splice(index, 1)[0]?.lease[Symbol.dispose]();
      await settle();
    },
    async leave(name: string) {
      waiting.get(name)?.abort.abort(new Error("left"));
      await settle();
    },
  };
}

/** Lets promises that are already resolved reach their listeners. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}

describe("turns", () => {
  test("nobody's second goes before another's first", async () => {
    const seen = watch(one());
    for (const name of ["a1", "a2", "a3", "a4", "a5", "b1", "c1", "b2"]) await seen.ask(name.charAt(0), name);
    for (let turn = 0; turn < 8; turn++) await seen.release();
    expect(seen.granted).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4", "a5"]);
  });

  test("somebody new goes before the next request of whoever is being served", async () => {
    const seen = watch(one());
    for (const name of ["a1", "a2", "b1"]) await seen.ask(name.charAt(0), name);
    await seen.release();
    expect(seen.granted).toEqual(["a1", "b1"]);
  });

  test("what was asked in a quiet hour does not count later", async () => {
    const seen = watch(one());
    await seen.ask("a", "a1");
    await seen.release();
    for (const name of ["c1", "a2", "b1"]) await seen.ask(name.charAt(0), name);
    await seen.release();
    expect(seen.granted.at(-1)).toBe("a2");
  });

  test("a question that was withdrawn costs no turn", async () => {
    const seen = watch(one());
    for (const name of ["x1", "a1", "a2", "b1", "b2"]) await seen.ask(name.charAt(0), name);
    await seen.leave("a1");
    for (let turn = 0; turn < 4; turn++) await seen.release();
    expect(seen.granted).toEqual(["x1", "a2", "b1", "b2"]);
  });
});

describe("positions", () => {
  test("who waits is told its place at once and at every change", async () => {
    const seen = watch(one());
    for (const name of ["x1", "a1", "b1", "c1"]) await seen.ask(name.charAt(0), name);
    await seen.leave("a1");
    await seen.release();
    expect(seen.told).toEqual(["a1:1", "b1:2", "c1:3", "b1:1", "c1:2", "c1:1"]);
  });

  test("leaving while being told confuses nobody", async () => {
    const queue = one();
    using _held = await queue.acquire({ key: "x", signal: never });
    const abort = new AbortController();
    const first = new AbortController();
    const told: string[] = [];
    const ask = (key: string, signal: AbortSignal, onPosition: (position: number) => void) =>
      queue.acquire({ key, signal, onPosition }).catch((error: unknown) => error);
    const leaving = ask("a", first.signal, (position) => told.push(`a${position}`));
    const fickle = ask("b", abort.signal, (position) => {
      told.push(`b${position}`);
      if (position === 1) abort.abort(new Error("changed my mind"));
    });
    void ask("c", never, (position) => told.push(`c${position}`));
    first.abort(new Error("gone"));
    expect(await leaving).toMatchObject({ message: "gone" });
    expect(await fickle).toMatchObject({ message: "changed my mind" });
    expect(told).toEqual(["a1", "b2", "c3", "b1", "c1"]);
  });
});

describe("bounds", () => {
  test("a full queue refuses at once, with its numbers", async () => {
    const queue = createFairQueue({ hosts: [{ name: "local", slots: 2 }], maxQueue: 1 });
    const leases = [queue.acquire({ key: "a", signal: never }), queue.acquire({ key: "a", signal: never })];
    await Promise.all(leases);
    void queue.acquire({ key: "b", signal: never });
    const refused = await queue.acquire({ key: "c", signal: never }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "llm.queue_full",
      say: "The queue is full: 2 being answered, 1 waiting.",
    });
    expect(queue.depth).toEqual({ waiting: 1, active: 2 });
  });

  test("an aborted wait rejects with its reason and leaves nothing behind", async () => {
    const queue = one();
    const held = await queue.acquire({ key: "a", signal: never });
    const abort = new AbortController();
    const waiting = queue.acquire({ key: "b", signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(queue.acquire({ key: "b", signal: abort.signal })).rejects.toThrow("enough");
    held[Symbol.dispose]();
    expect(queue.depth).toEqual({ waiting: 0, active: 0 });
  });

  test("giving a slot back twice frees one", async () => {
    const queue = one();
    const lease = await queue.acquire({ key: "a", signal: never });
    lease[Symbol.dispose]();
    lease[Symbol.dispose]();
    using _next = await queue.acquire({ key: "a", signal: never });
    expect(queue.depth.active).toBe(1);
  });

  test("a slot comes from the host that has the most free ones", async () => {
    const queue = createFairQueue({
      hosts: [
        { name: "small", slots: 1 },
        { name: "big", slots: 3 },
      ],
      maxQueue: 1,
    });
    const hosts = [];
    for (let turn = 0; turn < 4; turn++) hosts.push((await queue.acquire({ key: "a", signal: never })).host);
    expect(hosts).toEqual(["big", "big", "small", "big"]);
  });
});

describe("whatever people do", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("ask" as const), key: fc.constantFrom(..."abcd") }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("release" as const), index: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), index: fc.nat(9) }) },
  );
  const runs = fc.record({ slots: fc.integer({ min: 1, max: 3 }), steps: fc.array(step, { maxLength: 60 }) });

  async function play({
    slots,
    steps,
  }: {
    slots: number;
    steps: (typeof step extends fc.Arbitrary<infer S> ? S : never)[];
  }) {
    const queue = createFairQueue({ hosts: [{ name: "local", slots }], maxQueue: 8 });
    const seen = watch(queue);
    let asked = 0;
    for (const action of steps) {
      if (action.do === "ask") await seen.ask(action.key, `${action.key}${asked++}`);
      if (action.do === "release") await seen.release(action.index % Math.max(1, seen.held.length));
      if (action.do === "leave") await seen.leave([...seen.waiting.keys()][action.index] ?? "");
      expect(queue.depth).toEqual({ waiting: seen.waiting.size, active: seen.held.length });
      if (seen.waiting.size > 0) expect(seen.held.length).toBe(slots);
    }
    return { queue, seen };
  }

  test("no slot is lost, and none is free while somebody waits", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const { queue, seen } = await play(run);
        while (seen.held.length > 0) await seen.release();
        expect(queue.depth).toEqual({ waiting: 0, active: 0 });
        for (let slot = 0; slot < run.slots; slot++) await seen.ask("z", `z${slot}`);
        expect(seen.held.length).toBe(run.slots);
      }),
    );
  });

  test("one's own questions are answered in the order they were asked", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const { seen } = await play(run);
        while (seen.held.length > 0) await seen.release();
        for (const key of "abcd") {
          const own = seen.granted
            .filter((name) => name.startsWith(key))
            .map((name) => Number(name.slice(1)));
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  test("places are told as 1, 2, 3…, and that is the order in which slots come", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const { seen } = await play(run);
        const promised = [...seen.waiting].sort((a, b) => a[1].position - b[1].position);
        expect(promised.map(([, { position }]) => position)).toEqual(promised.map((_, index) => index + 1));
        const before = seen.granted.length;
        while (seen.held.length > 0) await seen.release();
        expect(seen.granted.slice(before)).toEqual(promised.map(([name]) => name));
      }),
    );
  });

  test("while a newcomer waits, nobody is served twice", async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.array(fc.constantFrom(..."abcd"), { maxLength: 20 }), async (run, later) => {
        const { seen } = await play(run);
        await seen.ask("new", "new0");
        const before = seen.granted.length;
        for (const [index, key] of later.entries()) {
          await seen.release();
          await seen.ask(key, `${key}${1000 + index}`);
        }
        while (seen.waiting.has("new0")) await seen.release();
        const served = seen.granted.slice(before, seen.granted.indexOf("new0")).map((name) => name.charAt(0));
        if (seen.granted.includes("new0")) expect(served).toEqual([...new Set(served)]);
      }),
    );
  });
});
