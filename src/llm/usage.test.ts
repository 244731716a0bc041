import { expect, test } from "bun:test";
import { openTestStore } from "../store/open-test-store.ts";
import { member } from "../testing/llm-desk.ts";
import { createUsage } from "./usage.ts";

const DAY = 86_400_000;

test("a question that came to nothing is given back to the day that it was asked on", async () => {
  await using opened = await openTestStore();
  const { usage: log } = opened.store;
  let now = DAY - 1;
  const usage = createUsage({
    log,
    limits: { llm: () => ({ requests: 2, tokens: undefined, gpuMs: undefined, priority: 0 }) },
    period: DAY,
    nameOf: (id) => id,
    telemetry: { record: () => "" },
    now: () => now,
  });
  const ann = member("ann");
  const late = await usage.take(ann);
  now = DAY;
  await usage.take(ann);
  await late.giveBack();
  expect((await log.used("ann", 0)).requests).toBe(0);
  await usage.take(ann);
  await expect(usage.take(ann)).rejects.toMatchObject({ code: "quota.llm" });
});
