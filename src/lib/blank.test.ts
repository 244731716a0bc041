import { expect, test } from "bun:test";
import { isBlank } from "./blank.ts";

test.each(["", " \t\r\n", "\u00a0\u3000", "\u200b\u200d\u2060\ufeff", "\u202e\u202c", "\u3164\u2800\u00ad"])(
  "nothing of %j can be seen",
  (text) => expect(isBlank(text)).toBe(true),
);

test.each(["a", " .", "\u200b?\u200b", "👩‍🚀", "\u202eש", "\u0301"])("something of %j can be seen", (text) =>
  expect(isBlank(text)).toBe(false),
);
