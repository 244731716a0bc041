import { setImmediate as breathe } from "node:timers/promises";

const PER_TURN = 256;

/**
 * The same items, with a turn for the event loop every 256 of them: SQLite and a listed folder answer at once, and
 * whoever walks through a hundred thousand of their answers would stop the world.
 */
export async function* breathing<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  let passed = 0;
  for await (const item of items) {
    yield item;
    passed += 1;
    if (passed % PER_TURN === 0) await breathe();
  }
}
