import { expect, test } from "bun:test";
import fc from "fast-check";
import { bodyOf } from "../testing/file-desk.ts";
import { gathered } from "./gather.ts";

const chunksOf = (sizes: number[]) => sizes.map((size, at) => new Uint8Array(size).fill(at));

test("gives the same bytes, whatever chunks they come in", async () => {
  const sizes = fc.array(fc.oneof(fc.nat(3), fc.constantFrom(4_095, 4_096, 4_097), fc.nat(20_000)), {
    maxLength: 50,
  });
  await fc.assert(
    fc.asyncProperty(sizes, async (sizes) => {
      const chunks = chunksOf(sizes);
      const bytes = await new Response(gathered(bodyOf(chunks))).bytes();
      expect(Buffer.from(bytes).equals(Buffer.concat(chunks))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("makes a few chunks of a hundred thousand, and leaves a large one as it is", async () => {
  const tiny = Array.from({ length: 100_000 }, () => new Uint8Array(1));
  expect((await Array.fromAsync(gathered(bodyOf(tiny)))).length).toBeLessThan(30);
  const large = new Uint8Array(100_000);
  expect(await Array.fromAsync(gathered(bodyOf([large])))).toEqual([large]);
});

test("passes on that the body broke, and that nobody wants more of it", async () => {
  const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("cut")) });
  expect(new Response(gathered(broken)).bytes()).rejects.toThrow("cut");
  const cancelled = Promise.withResolvers<unknown>();
  await gathered(new ReadableStream({ cancel: cancelled.resolve })).cancel("enough");
  expect(await cancelled.promise).toBe("enough");
});
