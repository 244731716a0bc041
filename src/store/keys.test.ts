import { expect, test } from "bun:test";
import { openStore } from "./open.ts";
import { openTestStore, quiet } from "./open-test-store.ts";

test("a key is random, one for each purpose, and the same whenever and by whomever it is asked for", async () => {
  await using opened = await openTestStore();
  await using beside = await openStore({ dataDir: opened.dataDir, log: quiet, migrate: false });
  const { keys } = opened.store;
  const asked = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 ? keys : beside.keys).key("doors")),
  );
  const [key] = asked;
  expect(key).toHaveLength(32);
  expect(new Set(asked.map((one) => one.toString("hex"))).size).toBe(1);
  expect(await keys.key("audience")).not.toEqual(key ?? Buffer.alloc(0));
  await using another = await openTestStore();
  expect(await another.store.keys.key("doors")).not.toEqual(key ?? Buffer.alloc(0));
});
