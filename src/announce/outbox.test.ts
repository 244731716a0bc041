import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { incoming, openTestDesk, type TestDesk, ticketIn } from "../testing/file-desk.ts";
import { createOutbox } from "./outbox.ts";
import type { Announcement } from "./ports.ts";

const owner = "111111111111111111";

/** A messenger that does what the test says, and whose deliveries can be awaited. */
function scripted(answer: (attempt: number) => Promise<void>) {
  const delivered: Announcement[] = [];
  let waiting: { count: number; resolve: () => void }[] = [];
  return {
    delivered,
    messenger: {
      async deliver(announcement: Announcement) {
        delivered.push(announcement);
        for (const { count, resolve } of waiting) if (delivered.length >= count) resolve();
        waiting = waiting.filter(({ count }) => delivered.length < count);
        await answer(delivered.length);
      },
    },
    attempts(count: number): Promise<void> {
      if (delivered.length >= count) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
  };
}

async function finishUploads(desk: TestDesk, count: number) {
  for (let done = 0; done < count; done += 1) {
    await desk.files.upload(ticketIn(await desk.files.issue({ ownerId: owner })), incoming());
  }
}

/** An outbox at work, which stops when the scope ends. */
function working(desk: TestDesk, messenger: ReturnType<typeof scripted>["messenger"]) {
  const stop = new AbortController();
  const noted: Record<string, PromiseWithResolvers<void>> = {
    delivered: Promise.withResolvers(),
    retryAt: Promise.withResolvers(),
    failed: Promise.withResolvers(),
  };
  const { announcements: log } = desk.store;
  const outbox = createOutbox({
    announcements: {
      ...log,
      delivered: async (id) => {
        await log.delivered(id);
        noted.delivered?.resolve();
      },
      retryAt: async (id, at, attempts) => {
        await log.retryAt(id, at, attempts);
        noted.retryAt?.resolve();
      },
      failed: async (id, now) => {
        await log.failed(id, now);
        noted.failed?.resolve();
      },
    },
    messenger,
    telemetry: desk.telemetry,
    metrics: desk.metrics.outbox,
    now: () => desk.clock.now,
    random: () => 0,
  });
  const running = outbox.run(stop.signal);
  return {
    ...outbox,
    noted: (what: "delivered" | "retryAt" | "failed") => noted[what]?.promise,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const owed = (desk: TestDesk) => desk.store.announcements.nextDueAt();

test("what is owed at the start is delivered, and forgotten then", async () => {
  await using desk = await openTestDesk();
  await finishUploads(desk, 10);
  const discord = scripted(async () => undefined);
  {
    await using _ = working(desk, discord.messenger);
    await discord.attempts(10);
  }
  expect(new Set(discord.delivered.map(({ id }) => id)).size).toBe(10);
  expect(await owed(desk)).toBeUndefined();
});

test("a sleeping outbox is woken by what is new", async () => {
  await using desk = await openTestDesk();
  const discord = scripted(async () => undefined);
  await using outbox = working(desk, discord.messenger);
  await finishUploads(desk, 1);
  outbox.wake();
  await outbox.noted("delivered");
  expect(discord.delivered).toHaveLength(1);
});

test("an outage puts the message off, further each time, and loses nothing", async () => {
  await using desk = await openTestDesk();
  await finishUploads(desk, 1);
  const discord = scripted(async (attempt) => {
    if (attempt < 3) throw new WisError("discord.unreachable", { say: "Discord does not answer." });
  });
  for (const [attempt, delay] of [
    [1, 1000],
    [2, 2000],
  ] as const) {
    await using outbox = working(desk, discord.messenger);
    await discord.attempts(attempt);
    await outbox.noted("retryAt");
    expect(await owed(desk)).toBe(desk.clock.now + delay);
    desk.clock.now += delay;
  }
  await using outbox = working(desk, discord.messenger);
  await outbox.noted("delivered");
  expect(new Set(discord.delivered.map(({ id }) => id)).size).toBe(1);
  expect(await owed(desk)).toBeUndefined();
});

test("a message that can't be delivered is given up, recorded, and not tried again", async () => {
  // The file outlives the record of its message, which would go with it.
  await using desk = await openTestDesk({ limits: { expireAfter: 60 * 86_400_000 } });
  await finishUploads(desk, 1);
  const discord = scripted(async () => {
    throw new WisError("announce.undeliverable", { say: "The member takes no direct messages." });
  });
  await using outbox = working(desk, discord.messenger);
  await outbox.noted("failed");
  expect(await owed(desk)).toBeUndefined();
  expect(desk.lines().filter(({ level }) => level === "error")).toHaveLength(1);

  desk.clock.now += 31 * 86_400_000;
  expect((await desk.cleanUp()).old_records).toBe(1);
});

test("an owner who takes no direct messages is not told that a file goes: no error, and done", async () => {
  await using desk = await openTestDesk({ limits: { expireAfter: 60 * 86_400_000 } });
  await desk.files.add({ ownerId: owner }, incoming());
  desk.clock.now += 59.5 * 86_400_000;
  const newId = () => "n".repeat(22);
  await desk.store.files.remind({ lead: 86_400_000, now: desk.clock.now, limit: 10, newId });
  const discord = scripted(async () => {
    throw new WisError("announce.undeliverable", { say: "The member takes no direct messages." });
  });
  {
    await using outbox = working(desk, discord.messenger);
    await Promise.race([outbox.noted("delivered"), outbox.noted("failed")]);
  }
  expect(discord.delivered.map(({ kind }) => kind)).toEqual(["file.expiring"]);
  expect(await owed(desk)).toBeUndefined();
  expect(desk.lines().filter(({ level }) => level === "error")).toEqual([]);
  expect(await desk.telemetry.scrape()).not.toMatch(/announcements_failed_total\S* [1-9]/);
});

test("a message that was being sent when wisbot died is sent by the next start, under the same nonce", async () => {
  const first = await openTestDesk();
  await finishUploads(first, 1);
  const hanging = scripted(() => new Promise(() => undefined));
  const outbox = createOutbox({
    announcements: first.store.announcements,
    messenger: hanging.messenger,
    telemetry: first.telemetry,
    metrics: first.metrics.outbox,
    now: () => first.clock.now,
  });
  void outbox.run(new AbortController().signal);
  await hanging.attempts(1);

  await using desk = await first.crash();
  const discord = scripted(async () => undefined);
  await using restarted = working(desk, discord.messenger);
  await restarted.noted("delivered");
  expect(discord.delivered).toEqual(hanging.delivered);
});

test("one slow channel does not hold up the others, and few are sent at once", async () => {
  await using desk = await openTestDesk();
  await finishUploads(desk, 12);
  const slow = Promise.withResolvers<void>();
  let atOnce = 0;
  let most = 0;
  const discord = scripted(async (attempt) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await (attempt === 1 ? slow.promise : Promise.resolve());
    atOnce -= 1;
  });
  {
    await using _ = working(desk, discord.messenger);
    await discord.attempts(12);
    slow.resolve();
  }
  expect(most).toBeLessThanOrEqual(4);
  expect(await owed(desk)).toBeUndefined();
});

test("a delivery in progress is waited for when wisbot stops", async () => {
  await using desk = await openTestDesk();
  await finishUploads(desk, 1);
  const sending = Promise.withResolvers<void>();
  const discord = scripted(() => sending.promise);
  {
    await using _ = working(desk, discord.messenger);
    await discord.attempts(1);
    sending.resolve();
  }
  expect(await owed(desk)).toBeUndefined();
});
