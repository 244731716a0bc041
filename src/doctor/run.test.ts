import { expect, test } from "bun:test";
import type { Check } from "./ports.ts";
import { runChecks } from "./run.ts";

const { signal } = new AbortController();
const check = (code: string, run: Check["run"], offline = true): Check => ({
  code,
  title: code,
  offline,
  run,
});
const fine = check("a.fine", async () => ({ severity: "ok", detail: "Fine." }));

test("a check that throws or stays silent is a crash, and the others are there", async () => {
  const crashes: unknown[] = [];
  const results = await runChecks(
    [
      check("a.throws", () => {
        throw new Error("boom");
      }),
      check("a.rejects", () => Promise.reject(new Error("bang"))),
      check("a.silent", () => new Promise(() => undefined)),
      fine,
    ],
    { signal, limitMs: 20, onCrash: (error) => crashes.push(error) },
  );
  expect(results.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
    "a.throws crash",
    "a.rejects crash",
    "a.silent crash",
    "a.fine ok",
  ]);
  expect(results[0]?.detail).toContain("boom");
  expect(results[2]?.detail).toBe("No answer within 0.02 s.");
  expect(crashes).toHaveLength(3);
});

test("checks are told when their time is over", async () => {
  const told = Promise.withResolvers<void>();
  const listening = check("a.listening", (within) => {
    within.addEventListener("abort", () => told.resolve());
    return new Promise(() => undefined);
  });
  await runChecks([listening], { signal, limitMs: 10 });
  await told.promise;
});

test("all are asked at once", async () => {
  const first = Promise.withResolvers<void>();
  const waits = check("a.waits", async () => {
    await first.promise;
    return { severity: "ok", detail: "" };
  });
  const opens = check("a.opens", async () => {
    first.resolve();
    return { severity: "ok", detail: "" };
  });
  expect(await runChecks([waits, opens], { signal })).toHaveLength(2);
});

test("--preflight leaves out what asks the world, --only what was not named", async () => {
  const online = check("b.online", async () => ({ severity: "fail", detail: "No.", fix: "Do." }), false);
  expect(await runChecks([fine, online], { signal, preflight: true })).toMatchObject([
    { code: "a.fine", fix: null },
  ]);
  expect(await runChecks([fine, online], { signal, only: ["b.online"] })).toMatchObject([
    { code: "b.online", severity: "fail", fix: "Do." },
  ]);
  await expect(runChecks([fine], { signal, only: ["a.fnie"] })).rejects.toMatchObject({
    code: "usage",
    hint: "Choose from: a.fine",
  });
});

test("whoever asked may stop it", async () => {
  const controller = new AbortController();
  const running = runChecks([check("a.silent", () => new Promise(() => undefined))], {
    signal: controller.signal,
  });
  controller.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});
