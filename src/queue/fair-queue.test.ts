import { describe, expect, test } from "bun:test";
import { only, settle, watchQueue } from "../testing/queue-watch.ts";
import { createFairQueue } from "./fair-queue.ts";

const one = () => createFairQueue({ hosts: [{ name: "local", slots: 1 }], maxQueue: 10 });
const pair = () =>
  createFairQueue({
    hosts: [
      { name: "left", slots: 1 },
      { name: "right", slots: 1 },
    ],
    maxQueue: 10,
  });
const never = new AbortController().signal;

describe("turns", () => {
  test("nobody's second goes before another's first", async () => {
    const seen = watchQueue(one());
    for (const name of ["a1", "a2", "a3", "a4", "a5", "b1", "c1", "b2"]) await seen.ask(name.charAt(0), name);
    for (let turn = 0; turn < 8; turn++) await seen.release();
    expect(seen.granted).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4", "a5"]);
  });

  test("somebody new goes before the next request of whoever is being served", async () => {
    const seen = watchQueue(one());
    for (const name of ["a1", "a2", "b1"]) await seen.ask(name.charAt(0), name);
    await seen.release();
    expect(seen.granted).toEqual(["a1", "b1"]);
  });

  test("what was asked in a quiet hour does not count later", async () => {
    const seen = watchQueue(one());
    await seen.ask("a", "a1");
    await seen.release();
    for (const name of ["c1", "a2", "b1"]) await seen.ask(name.charAt(0), name);
    await seen.release();
    expect(seen.granted.at(-1)).toBe("a2");
  });

  test("a question that was withdrawn costs no turn", async () => {
    const seen = watchQueue(one());
    for (const name of ["x1", "a1", "a2", "b1", "b2"]) await seen.ask(name.charAt(0), name);
    await seen.leave("a1");
    for (let turn = 0; turn < 4; turn++) await seen.release();
    expect(seen.granted).toEqual(["x1", "a2", "b1", "b2"]);
  });
});

describe("order", () => {
  test("who had a slot already goes first, then higher priority, then rounds", async () => {
    const seen = watchQueue(one());
    await seen.ask("x", "x1");
    for (const name of ["a1", "a2", "b1"]) await seen.ask(name.charAt(0), name);
    await seen.ask("c", "c1", { priority: 5 });
    await seen.ask("d", "d1", { again: true });
    while (seen.held.length > 0) await seen.release();
    expect(seen.granted).toEqual(["x1", "d1", "c1", "a1", "b1", "a2"]);
  });

  test("who waits for a busy host holds up nobody", async () => {
    const seen = watchQueue(pair());
    await seen.ask("a", "a1", { preference: only("left") });
    await seen.ask("b", "b1", { preference: only("left") });
    await seen.ask("c", "c1", { preference: only("right") });
    expect(seen.granted).toEqual(["a1", "c1"]);
  });

  test("many requests for one host make nobody wait for another", async () => {
    const seen = watchQueue(pair());
    for (let turn = 0; turn < 5; turn++) await seen.ask("a", `a${turn}`, { preference: only("left") });
    for (let turn = 5; turn < 8; turn++) await seen.ask("a", `a${turn}`, { preference: only("right") });
    await seen.ask("b", "b1", { preference: only("right") });
    await seen.release(seen.held.findIndex(({ lease }) => lease.host === "right"));
    expect(seen.granted.at(-1)).toBe("b1");
  });
});

describe("nobody is passed for ever", () => {
  test("who waits goes before the next of those who ask one after another", async () => {
    const seen = watchQueue(one());
    for (const name of ["a1", "a2", "c1", "d1"]) await seen.ask(name.charAt(0), name);
    for (const next of ["c2", "d2", "c3"]) {
      await seen.release();
      await seen.ask(next.charAt(0), next);
    }
    expect(seen.granted).toEqual(["a1", "c1", "d1", "a2"]);
  });

  test("a line for one host gives nobody a better place for another", async () => {
    const seen = watchQueue(pair());
    for (const name of ["a1", "a2"]) await seen.ask("a", name, { preference: only("left") });
    for (let turn = 1; turn < 8; turn++) await seen.ask("b", `b${turn}`, { preference: only("right") });
    const release = () => seen.release(seen.held.findIndex(({ lease }) => lease.host === "right"));
    for (let turn = 0; turn < 4; turn++) await release();
    for (const name of ["c1", "c2"]) await seen.ask("c", name, { preference: only("right") });
    for (let turn = 0; turn < 3; turn++) await release();
    expect(seen.granted.slice(-3)).toEqual(["c1", "b6", "c2"]);
  });
});

describe("positions", () => {
  test("who waits is told its place at once and at every change", async () => {
    const seen = watchQueue(one());
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

  test("who had a slot already waits even where the line is full", async () => {
    const queue = createFairQueue({ hosts: [{ name: "local", slots: 1 }], maxQueue: 0 });
    const held = await queue.acquire({ key: "a", signal: never });
    const again = queue.acquire({ key: "a", again: true, signal: never });
    held[Symbol.dispose]();
    expect((await again).host).toBe("local");
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

  test("giving up once the slot came takes nobody else out of the line", async () => {
    const queue = one();
    const first = await queue.acquire({ key: "a", signal: never });
    const abort = new AbortController();
    const second = queue.acquire({ key: "b", signal: abort.signal });
    const third = queue.acquire({ key: "c", signal: never });
    first[Symbol.dispose]();
    const lease = await second;
    abort.abort(new Error("enough"));
    lease[Symbol.dispose]();
    expect((await third).host).toBe("local");
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

describe("hosts", () => {
  test("the one that is liked best is taken while it is free", async () => {
    const queue = pair();
    const preference = (host: string) => (host === "right" ? 1 : 0);
    const ask = async () => (await queue.acquire({ key: "a", preference, signal: never })).host;
    expect([await ask(), await ask()]).toEqual(["right", "left"]);
  });

  test("one that becomes acceptable serves who waits, in their order", async () => {
    const queue = pair();
    let healthy = false;
    const seen = watchQueue(queue);
    for (const name of ["a1", "b1"]) {
      await seen.ask(name.charAt(0), name, {
        preference: (host) => (healthy && host === "left" ? 0 : undefined),
      });
    }
    healthy = true;
    queue.reconsider();
    await settle();
    expect(seen.granted).toEqual(["a1"]);
  });

  test("one that is gone gives no new slots, and what runs there ends by itself", async () => {
    const queue = one();
    const seen = watchQueue(queue);
    for (const name of ["a1", "b1", "c1"]) await seen.ask(name.charAt(0), name);
    queue.setHosts([{ name: "other", slots: 1 }]);
    await settle();
    expect(seen.held.map(({ lease }) => lease.host)).toEqual(["local", "other"]);
    await seen.release();
    expect(seen.granted).toEqual(["a1", "b1"]);
    expect([...queue.active]).toEqual([["other", 1]]);
  });

  test("one with fewer slots lends again only when enough came back", async () => {
    const queue = createFairQueue({ hosts: [{ name: "local", slots: 3 }], maxQueue: 10 });
    const seen = watchQueue(queue);
    for (const name of ["a1", "b1", "c1", "d1"]) await seen.ask(name.charAt(0), name);
    queue.setHosts([{ name: "local", slots: 1 }]);
    for (const active of [2, 1, 1]) {
      await seen.release();
      expect(queue.depth.active).toBe(active);
    }
    expect(seen.granted.at(-1)).toBe("d1");
  });
});
