import { expect, test } from "bun:test";
import { abbreviate, hashCapability, newCapability } from "./capability.ts";

test("a capability is 22 safe characters, never the same twice", () => {
  const many = Array.from({ length: 10_000 }, newCapability);
  expect(many.filter((one) => !/^[A-Za-z0-9_-]{22}$/.test(one))).toEqual([]);
  expect(new Set(many).size).toBe(many.length);
});

test("a capability can stand on a command line", () => {
  const many = Array.from({ length: 10_000 }, newCapability);
  expect(many.filter((one) => one.startsWith("-"))).toEqual([]);
});

test("what is kept of it is its SHA-256", () =>
  expect(hashCapability("hello")).toBe("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));

test("what is shown of it is too little to use", () =>
  expect(abbreviate("abcdefghijklmnopqrstuv")).toBe("abcd…"));
