import { expect, test } from "bun:test";
import { runStorm } from "../testing/kill/storm.ts";

const KILLS = 20;

test("killed twenty times under load: all that was acknowledged is whole, all that was cut goes on, and it adds up", async () => {
  // scripts/kill.ts takes a seed, to do the same again.
  const seed = Number(process.env.KILL_SEED ?? Date.now() % 2 ** 32);
  const report = await runStorm({ kills: KILLS, seed }).catch((cause: unknown) => {
    throw new Error(`with KILL_SEED=${seed}`, { cause });
  });
  expect(report.kills).toBe(KILLS);
  expect(report.plain + report.inParts + report.bundles).toBeGreaterThan(KILLS);
  expect(report.resumed).toBeGreaterThan(0);
}, 120_000);
