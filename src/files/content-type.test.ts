import { expect, test } from "bun:test";
import { contentTypeOf } from "./content-type.ts";

test.each([
  ["image/png", "a.bin", "image/png"],
  [" text/plain; charset=utf-8 ", "a", "text/plain; charset=utf-8"],
  [undefined, "photo.jpg", "image/jpeg"],
  ["application/octet-stream", "photo.jpg", "image/jpeg"],
  [undefined, "no-extension", "application/octet-stream"],
  ["", "x", "application/octet-stream"],
  ["text/html\r\nset-cookie: a=b", "x", "application/octet-stream"],
  ["text", "x", "application/octet-stream"],
  [`text/${"x".repeat(300)}`, "x", "application/octet-stream"],
])("said %j, named %j: %s", (said, name, type) => expect(contentTypeOf(said, name)).toBe(type));
