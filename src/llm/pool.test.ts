import { describe, expect, test } from "bun:test";
import { startOllama } from "../testing/ollama.ts";
import { openPool, openScripted, scripted, settings } from "../testing/test-pool.ts";
import { until } from "../testing/until.ts";
import type { createPool, PoolHost } from "./pool.ts";
import type { HostModel, ModelHost } from "./ports.ts";

describe("what is known", () => {
  test("what all hosts hold, and which models answer at once", async () => {
    await using opened = await openPool({
      big: { models: ["llama3.2", "qwen3:8b"], loaded: [] },
      small: { models: ["llama3.2:latest"] },
    });
    await opened.pool.look();
    expect(opened.pool.models()).toEqual([
      { name: "llama3.2:latest", size: expect.any(Number), hosts: ["big", "small"], warm: true },
      { name: "qwen3:8b", size: expect.any(Number), hosts: ["big"], warm: false },
    ]);
  });

  test("how each host does, in a sentence", async () => {
    await using opened = await openPool({
      full: { models: ["llama3.2", "qwen3:8b"], loaded: ["llama3.2"], settings: { slots: 2 } },
      down: {},
    });
    opened.active.set("full", 1);
    await opened.ollama("down").stop();
    expect(opened.pool.health().map(({ state }) => state)).toEqual(["unknown", "unknown"]);
    await opened.pool.looked();
    expect(opened.pool.health()).toEqual([
      { name: "full", state: "ok", detail: "2 models, llama3.2 loaded", active: 1, slots: 2 },
      {
        name: "down",
        state: "resting",
        detail: 'The model server "down" can\'t be reached.',
        active: 0,
        slots: 1,
      },
    ]);
    expect(opened.pool.models().flatMap(({ hosts }) => hosts)).toEqual(["full", "full"]);
  });

  test("a description is asked for once", async () => {
    await using opened = await openPool({ one: {} });
    await opened.pool.look();
    expect(opened.pool.contextOf("llama3.2")).toBe(4096);
    const described = await Promise.all([
      opened.pool.describe("llama3.2"),
      opened.pool.describe("LLAMA3.2:latest"),
    ]);
    described.push(await opened.pool.describe("llama3.2"));
    expect(described.map((one) => one?.capabilities)).toEqual([["tools"], ["tools"], ["tools"]]);
    expect(opened.ollama("one").requests.filter(({ path }) => path === "/api/show")).toHaveLength(1);
  });

  test("a host's own word on its context goes before the configuration's", async () => {
    const says = (context: number | undefined) => async () => ({
      capabilities: [],
      context,
      maxContext: undefined,
    });
    await using opened = await openPool({});
    const host = (name: string, script: Partial<ModelHost>) => ({
      ...settings,
      host: scripted(name, script),
      context: 1,
    });
    opened.pool.setHosts([
      host("loaded", {
        describe: says(2),
        loaded: async () => [{ name: "llama3.2", size: 1, sizeVram: 1, context: 3 }],
      }),
      host("described", { describe: says(2) }),
      host("silent", { describe: says(undefined) }),
    ]);
    await opened.pool.look();
    const of = (name: string) => opened.pool.contextOf("llama3.2", name);
    expect([of("loaded"), of("described"), of("silent")]).toEqual([3, 1, 1]);
    opened.pool.setHosts([host("described", { describe: says(2) })]);
    await opened.pool.look();
    await opened.pool.describe("llama3.2");
    expect(of("described")).toBe(2);
  });

  test("more context than a model can take is not counted on", async () => {
    const describe = async () => ({ capabilities: [], context: undefined, maxContext: 2_048 });
    const loaded = async () => [{ name: "llama3.2", size: 1, sizeVram: 1, context: 4_096 }];
    await using opened = await openPool({});
    opened.pool.setHosts([
      { ...settings, host: scripted("small", { describe }) },
      { ...settings, host: scripted("fixed", { kind: "openai", loaded }) },
      { ...settings, host: scripted("told", { loaded }) },
    ]);
    await opened.pool.look();
    await opened.pool.describe("llama3.2");
    const of = (name: string) => opened.pool.contextOf("llama3.2", name, 32_000);
    expect([of("small"), of("fixed"), of("told")]).toEqual([2_048, 4_096, 32_000]);
  });
});

describe("which host is taken", () => {
  const order = (
    opened: { pool: ReturnType<typeof createPool>; hosts: PoolHost[] },
    model: string,
    tried?: string[],
  ) => {
    const preference = opened.pool.preference(model, new Set(tried));
    return opened.hosts
      .map(({ host: { name } }) => ({ name, liked: preference(name) }))
      .filter((one): one is { name: string; liked: number } => one.liked !== undefined)
      .sort((a, b) => b.liked - a.liked)
      .map(({ name }) => name);
  };

  test("where the model is warm, then by priority; never where it is not, may not be asked for or was tried", async () => {
    await using opened = await openPool({
      cold: { loaded: [], settings: { priority: -1 } },
      preferred: { loaded: [], settings: { priority: 7 } },
      warm: {},
      other: { models: ["qwen3:8b"] },
      kept: { settings: { models: ["qwen*"] } },
      tried: {},
    });
    await opened.pool.look();
    expect(order(opened, "llama3.2", ["tried"])).toEqual(["warm", "preferred", "cold"]);
    opened.pool.succeeded("cold", "llama3.2:latest");
    expect(order(opened, "llama3.2", ["tried"])).toEqual(["warm", "cold", "preferred"]);
  });

  test("one that answers nothing is taken last, and while nobody has looked any may be", async () => {
    await using opened = await openPool({ down: { settings: { priority: 9 } }, up: { loaded: [] } });
    expect(order(opened, "anything")).toEqual(["down", "up"]);
    await opened.ollama("down").stop();
    await opened.pool.look();
    expect(order(opened, "llama3.2")).toEqual(["up", "down"]);
  });

  test("a model that nobody has is refused, one that somebody may have is not", async () => {
    await using opened = await openPool({ up: {}, down: {} });
    expect(opened.pool.refusal("qwen3:8b")).toBeUndefined();
    await opened.pool.look();
    expect(opened.pool.refusal("llama3.2")).toBeUndefined();
    expect(opened.pool.refusal("qwen3:8b")).toMatchObject({ code: "llm.model_missing" });
    expect(opened.pool.refusal("llama3.2", new Set(["up", "down"]))).toMatchObject({
      code: "llm.model_missing",
    });
  });

  test("more models than are remembered: what is not among them may be there all the same", async () => {
    const many = Array.from({ length: 501 }, (_, index) => ({ name: `model${index}`, size: 1 }));
    await using opened = await openScripted([scripted("a", { models: async () => many })]);
    expect(opened.pool.models()).toHaveLength(500);
    expect(opened.pool.refusal("model500")).toBeUndefined();
  });
});

describe("looking", () => {
  test("a host that hangs is given up after 2 s, and keeps nobody from knowing the others", async () => {
    const hang = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await using opened = await openScripted([scripted("a", { loaded: hang }), scripted("b")]);
    expect(opened.pool.health().map(({ state }) => state)).toEqual(["unknown", "ok"]);
    await opened.pass(2_000);
    expect(opened.pool.health()[0]).toMatchObject({
      state: "resting",
      detail: 'The model server "a" did not answer within 2 seconds.',
    });
  });

  test("every 30 s, at once when asked, and never twice at once", async () => {
    let looks = 0;
    let answer = Promise.withResolvers<HostModel[]>();
    const models = () => {
      looks += 1;
      return answer.promise;
    };
    await using opened = await openScripted([scripted("a", { models })]);
    for (let turn = 0; turn < 3; turn++) opened.pool.lookSoon();
    const another = opened.pool.look();
    await opened.pass(0);
    expect(looks).toBe(1);
    answer.resolve([]);
    answer = Promise.withResolvers();
    answer.resolve([]);
    await another;
    await opened.pass(0);
    // It had been asked to look after the first look began.
    expect(looks).toBe(2);
    await opened.pass(29_999);
    expect(looks).toBe(2);
    await opened.pass(1);
    expect(looks).toBe(3);
  });

  test("a host that goes away and comes back is noticed", async () => {
    await using opened = await openPool({ one: {} });
    const { port } = opened.ollama("one");
    await opened.pool.look();
    await opened.ollama("one").stop();
    await opened.pool.look();
    expect(opened.pool.health()[0]?.state).toBe("resting");
    expect(opened.pool.models()).toEqual([]);
    await using _back = await startOllama({ port });
    const stop = new AbortController();
    const told = Promise.withResolvers<void>();
    opened.pool.onChange(told.resolve);
    const running = opened.pool.run(stop.signal);
    await told.promise;
    await until("it is healthy again", async () => opened.pool.health()[0]?.state === "ok");
    stop.abort();
    await running;
  });
});

describe("another configuration", () => {
  test("what is known of a host with the same name and address stays known", async () => {
    await using opened = await openPool({ one: {}, two: {} });
    await opened.pool.look();
    const [one, two] = opened.hosts;
    if (!one || !two) throw new Error("two hosts");
    const moved = { ...two, host: { ...two.host, url: "http://127.0.0.1:1" } };
    opened.pool.setHosts([{ ...one, slots: 4 }, moved]);
    expect(opened.pool.health()).toMatchObject([
      { name: "one", state: "ok", slots: 4 },
      { name: "two", state: "unknown" },
    ]);
  });

  test("a host that is gone is asked no more", async () => {
    await using opened = await openPool({ one: {}, two: {} });
    opened.pool.setHosts(opened.hosts.slice(0, 1));
    expect(opened.pool.preference("llama3.2")("two")).toBeUndefined();
    expect(() => opened.pool.host("two")).toThrow('The model server "two" is no longer configured.');
  });
});
