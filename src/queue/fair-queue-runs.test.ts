import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { only, settle, watchQueue } from "../testing/queue-watch.ts";
import { createFairQueue } from "./fair-queue.ts";

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
    const seen = watchQueue(queue);
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

describe("whatever happens to several hosts", () => {
  const names = ["x", "y", "z"];
  const some = fc.subarray(names, { minLength: 1 });
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("ask" as const),
        key: fc.constantFrom(..."abcd"),
        accepted: some,
        priority: fc.constantFrom(0, 0, 5),
        again: fc.constantFrom(false, false, true),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("release" as const), index: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), index: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("break" as const), broken: fc.subarray(names) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("configure" as const),
        hosts: fc.uniqueArray(
          fc.record({ name: fc.constantFrom(...names), slots: fc.integer({ min: 1, max: 3 }) }),
          { selector: ({ name }) => name },
        ),
      }),
    },
  );

  test("no slot is lent twice or lost, and nobody waits who accepts a free one", async () => {
    const initial = names.map((name) => ({ name, slots: 1 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const queue = createFairQueue({ hosts: initial, maxQueue: 8 });
        const seen = watchQueue(queue);
        const accepted = new Map<string, string[]>();
        let hosts = initial;
        let broken: string[] = [];
        let asked = 0;
        const running = (host: string) => seen.held.filter(({ lease }) => lease.host === host).length;
        for (const action of steps) {
          const before = new Map(names.map((name) => [name, running(name)]));
          if (action.do === "ask") {
            const name = `${action.key}${asked++}`;
            accepted.set(name, action.accepted);
            const preference = (host: string) =>
              action.accepted.includes(host) && !broken.includes(host) ? 0 : undefined;
            await seen.ask(action.key, name, { ...action, preference });
          }
          if (action.do === "release") await seen.release(action.index % Math.max(1, seen.held.length));
          if (action.do === "leave") await seen.leave([...seen.waiting.keys()][action.index] ?? "");
          if (action.do === "break") {
            broken = action.broken;
            queue.reconsider();
          }
          if (action.do === "configure") {
            hosts = action.hosts;
            queue.setHosts(hosts);
          }
          await settle();

          expect(queue.depth).toEqual({ waiting: seen.waiting.size, active: seen.held.length });
          for (const name of names) {
            const slots = hosts.find((host) => host.name === name)?.slots ?? 0;
            expect(queue.active.get(name) ?? 0).toBe(running(name));
            expect(running(name)).toBeLessThanOrEqual(Math.max(slots, before.get(name) ?? 0));
            if (running(name) >= slots || broken.includes(name)) continue;
            expect([...seen.waiting.keys()].filter((one) => accepted.get(one)?.includes(name))).toEqual([]);
          }
          const places = [...seen.waiting.values()].map(({ position }) => position).sort((a, b) => a - b);
          expect(places).toEqual(places.map((_, index) => index + 1));
        }

        queue.setHosts(initial);
        broken = [];
        queue.reconsider();
        await settle();
        while (seen.held.length > 0) await seen.release();
        expect(queue.depth).toEqual({ waiting: 0, active: 0 });
        for (const name of names) await seen.ask("e", name, { preference: only(name) });
        expect(seen.held.map(({ lease }) => lease.host)).toEqual(names);
      }),
      { numRuns: 300 },
    );
  });

  test("whoever asks for much is served at most once before somebody new who would take the same slot", async () => {
    const flood = fc.array(fc.oneof(some, fc.nat(5)), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(flood, some, flood, async (before, accepted, after) => {
        const seen = watchQueue(
          createFairQueue({ hosts: names.map((name) => ({ name, slots: 1 })), maxQueue: 100 }),
        );
        let asked = 0;
        const go = async (action: string[] | number) => {
          if (typeof action === "number") await seen.release(action % Math.max(1, seen.held.length));
          else await seen.ask("a", `a${asked++}`, { preference: only(...action) });
        };
        for (const action of before) await go(action);
        const start = seen.granted.length;
        await seen.ask("new", "new", { preference: only(...accepted) });
        for (const action of after) await go(action);
        while (seen.held.length > 0) await seen.release();
        const overtakers = seen.granted
          .slice(start, seen.granted.indexOf("new"))
          .filter((name) => accepted.includes(seen.hostOf.get(name) ?? ""));
        expect(overtakers.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});
