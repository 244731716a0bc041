import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { createParts, type PartsDeps } from "./parts.ts";

const healthy: PartsDeps = {
  database: { ping: async () => undefined },
  disk: { free: async () => 5e9 },
  minFreeDisk: 1e9,
  discord: () => ({ state: "ready", detail: "Connected." }),
  llm: { look: async () => undefined, health: () => [{ name: "local", state: "ok", detail: "1 model" }] },
  collector: () => ({ endpoint: "http://collector", failing: false, dropped: 0 }),
  now: () => 0,
};

const down = async () => {
  throw new WisError("disk.failed", { say: "The disk is gone." });
};

async function stateOf(part: string, changed: Partial<PartsDeps>) {
  const states = await createParts({ ...healthy, ...changed })();
  return states.find((one) => one.part === part);
}

test("everything that works is ok", async () => {
  const states = await createParts(healthy)();
  expect(states.map(({ part, state }) => `${part} ${state}`)).toEqual([
    "database ok",
    "disk ok",
    "discord ok",
    "llm ok",
    "collector ok",
  ]);
});

test("only a database or a disk that fails is a failure; what is away degrades, what is not wanted is off", async () => {
  expect(await stateOf("database", { database: { ping: down } })).toMatchObject({ state: "failed" });
  expect(await stateOf("disk", { disk: { free: down } })).toMatchObject({ state: "failed" });
  expect(await stateOf("disk", { disk: { free: async () => 1e9 } })).toMatchObject({ state: "degraded" });
  const health = () => [{ name: "far", state: "resting", detail: "It does not answer." }] as const;
  expect(await stateOf("llm", { llm: { look: async () => undefined, health } })).toEqual({
    part: "llm",
    state: "degraded",
    detail: "far: It does not answer.",
  });
  const off = () => ({ state: "off", detail: "No token." }) as const;
  expect(await stateOf("discord", { discord: off })).toMatchObject({ state: "off" });
  expect(await stateOf("collector", { collector: () => undefined })).toMatchObject({ state: "off" });
  const failing = () => ({ endpoint: "http://collector", failing: true, dropped: 7 });
  expect(await stateOf("collector", { collector: failing })).toMatchObject({
    state: "degraded",
    detail: expect.stringContaining("7"),
  });
});

test("hosts are asked once in five seconds, however many want to know", async () => {
  let asked = 0;
  let time = 0;
  const look = async () => {
    asked += 1;
  };
  const parts = createParts({ ...healthy, llm: { ...healthy.llm, look }, now: () => time });
  await Promise.all([parts(), parts()]);
  expect(asked).toBe(1);
  time = 5_000;
  await parts();
  expect(asked).toBe(2);
});
