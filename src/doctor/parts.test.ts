import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { createParts, type PartsDeps } from "./parts.ts";

const healthy: PartsDeps = {
  database: { ping: async () => undefined },
  disk: { free: async () => 5e9 },
  minFreeDisk: 1e9,
  discord: () => ({ state: "ready", detail: "Connected." }),
  hosts: [{ name: "local", version: async () => "0.9.0" }],
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
  expect(await stateOf("llm", { hosts: [{ name: "far", version: down }] })).toMatchObject({
    state: "degraded",
    detail: expect.stringContaining("far"),
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
  const version = async () => `${++asked}`;
  const parts = createParts({ ...healthy, hosts: [{ name: "local", version }], now: () => time });
  await Promise.all([parts(), parts()]);
  expect(asked).toBe(1);
  time = 5_000;
  await parts();
  expect(asked).toBe(2);
});
