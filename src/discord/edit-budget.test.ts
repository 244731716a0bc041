import { describe, expect, test } from "bun:test";
import { RateLimitError } from "discord.js";
import fc from "fast-check";
import { createLimits, DISCORD_LIMITS } from "../testing/discord/limits.ts";
import { fakeTime } from "../testing/fake-time.ts";
import { createEditBudget } from "./edit-budget.ts";
import { unreachable } from "./refusals.ts";
import { createStreamWriter, type StreamWriter } from "./stream-writer.ts";

const EDIT = "PATCH /channels/{channel_id}/messages/{message_id}";

/** Bookings: how long after the one before, where, and how much later it is wanted. */
const bookings = fc.array(fc.tuple(fc.nat(2_000), fc.nat(3), fc.nat(12_000)), { maxLength: 80 });

/** The most of `times` that lie in any `window` milliseconds. */
function mostWithin(window: number, times: number[]): number {
  const within = times.map((from) => times.filter((at) => at >= from && at < from + window).length);
  return Math.max(0, ...within);
}

const kinds = {
  channel: (id: number) => ({ channelId: String(id) }),
  reply: (id: number) => ({ token: String(id) }),
};

describe("the budget for edits", () => {
  for (const [kind, most] of [
    ["channel", 3],
    ["reply", 4],
  ] as const)
    test(`grants a ${kind} ${most} slots in any five seconds, wherever and whenever they are wanted`, () => {
      fc.assert(
        fc.property(bookings, (wanted) => {
          let time = 0;
          const budget = createEditBudget({ now: () => time });
          const slots = wanted.map(([pause, place, later]) => {
            time += pause;
            const { at } = budget.book(kinds[kind](place), time + later);
            expect(at).toBeGreaterThanOrEqual(time + later);
            return { at, place };
          });
          for (const { place } of slots) {
            const here = slots.filter((one) => one.place === place).map(({ at }) => at);
            expect(mostWithin(5_000, here)).toBeLessThanOrEqual(most);
          }
        }),
      );
    });

  test("grants all places together 25 slots in any second", () => {
    const budget = createEditBudget({ now: () => 0 });
    const slots = Array.from({ length: 200 }, (_, place) => budget.book(kinds.reply(place), 0).at);
    expect(mostWithin(1_000, slots)).toBe(25);
    expect(Math.max(...slots)).toBeLessThan(8_000);
  });

  test("lets streams of one place take turns", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), (streams) => {
        let time = 0;
        const budget = createEditBudget({ now: () => time });
        const next = Array.from({ length: streams }, () => budget.book(kinds.channel(1), 0).at);
        const written = next.map(() => 0);
        for (let edit = 0; edit < streams * 20; edit++) {
          const stream = next.indexOf(Math.min(...next));
          time = next[stream] ?? 0;
          written[stream] = (written[stream] ?? 0) + 1;
          next[stream] = budget.book(kinds.channel(1), time + 1_200).at;
        }
        expect(Math.max(...written) - Math.min(...written)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("gives a slot that was given back to the next one", () => {
    const budget = createEditBudget({ now: () => 0 });
    const booked = Array.from({ length: 9 }, () => budget.book(kinds.channel(1), 0));
    booked[4]?.giveBack();
    expect(budget.book(kinds.channel(1), 0).at).toBe(booked[4]?.at ?? 0);
  });
});

test("200 streams in 20 channels are never refused, and their last texts come at once", async () => {
  const { now, timers, pass } = fakeTime();
  const limits = createLimits(now, DISCORD_LIMITS, { global: true });
  const budget = createEditBudget({ now });
  const lateness: number[] = [];
  let previews = 0;
  let refused = 0;

  function startStream(channel: string): StreamWriter<string> {
    return createStreamWriter<string>({
      async write(_, kind) {
        if (kind === "preview") previews += 1;
        const verdict = limits.take(EDIT, channel);
        if (!verdict.refused) return;
        refused += 1;
        throw rateLimited(verdict.refused.retryAfter);
      },
      book: (notBefore) => budget.book({ channelId: channel }, notBefore),
      onRefused() {},
      timers,
      now,
    });
  }

  async function finish(writer: StreamWriter<string>): Promise<void> {
    const textWasThere = now();
    await writer.finish("all");
    lateness.push(now() - textWasThere);
  }

  const start = now();
  // In each channel two answers end in any five seconds: as many as slots are held back.
  const streams = Array.from({ length: 200 }, (_, index) => {
    const turn = Math.floor(index / 20);
    return {
      writer: startStream(String(index % 20)),
      endsAt: start + 20_000 + turn * 2_600 + (index % 20) * 120,
    };
  });
  const ending: Promise<void>[] = [];
  for (let step = 0; step < 100; step++) {
    for (const { writer, endsAt } of streams) if (now() < endsAt) writer.update(`${step} words`);
    for (const { writer, endsAt } of streams)
      if (endsAt >= now() && endsAt < now() + 500)
        timers.after(endsAt - now(), () => ending.push(finish(writer)));
    await pass(500);
  }
  await pass(60_000);
  await Promise.all(ending);
  expect(refused).toBe(0);
  expect(lateness).toHaveLength(200);
  expect(Math.max(...lateness)).toBeLessThanOrEqual(2_000);
  expect(previews).toBeGreaterThan(20 * 20);
});

function rateLimited(retryAfter: number): Error {
  const route = { method: "PATCH", hash: "", url: "", route: "", majorParameter: "" };
  const rate = { limit: 5, timeToReset: 0, sublimitTimeout: 0, global: false, scope: "user" } as const;
  return unreachable(new RateLimitError({ ...route, ...rate, retryAfter }));
}
