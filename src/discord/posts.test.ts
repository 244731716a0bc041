import { expect, test } from "bun:test";
import { isWisError } from "../errors.ts";
import { createPosts } from "./posts.ts";

test("changes of one card happen one after the other, in the order of their asking, whatever fails", async () => {
  const posts = createPosts();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = posts.inTurn("a", async () => {
    await gate.promise;
    seen.push("first");
    throw new Error("Discord is away");
  });
  const others = [2, 3].map((number) => posts.inTurn("a", async () => void seen.push(`a ${number}`)));
  await posts.inTurn("b", async () => void seen.push("b"));
  gate.resolve();
  await expect(first).rejects.toThrow("Discord is away");
  await Promise.all(others);
  expect(seen).toEqual(["b", "first", "a 2", "a 3"]);
});

test("two files are posted at once, and the next when one of them has ended", () => {
  const posts = createPosts();
  for (const id of ["a", "b"]) posts.begin(id);
  const refusal = (() => {
    try {
      return posts.begin("c");
    } catch (error) {
      return error;
    }
  })();
  expect(isWisError(refusal, "rate_limited")).toBe(true);
  posts.end("a");
  posts.begin("c");
  expect(["a", "b", "c"].map(posts.has)).toEqual([false, true, true]);
});
