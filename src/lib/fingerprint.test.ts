import { expect, test } from "bun:test";
import { createFingerprint } from "./fingerprint.ts";

test("the same text has the same fingerprint, another text another one, and so has another process", () => {
  const fingerprint = createFingerprint();
  expect(fingerprint("a share seen by somebody")).toBe(fingerprint("a share seen by somebody"));
  expect(fingerprint("a share seen by somebody")).not.toBe(fingerprint("a share seen by somebody else"));
  expect(createFingerprint()("text")).not.toBe(createFingerprint()("text"));
});

test("however long the text is, its fingerprint has eight bytes", () => {
  expect(createFingerprint()("x".repeat(100_000))).toBeLessThan(2n ** 64n);
});
