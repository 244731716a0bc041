import { expect, test } from "bun:test";
import { count } from "./count.ts";

test("one is one, the rest are many", () =>
  expect([0, 1, 2].map((number) => count(number, "file"))).toEqual(["0 files", "1 file", "2 files"]));
