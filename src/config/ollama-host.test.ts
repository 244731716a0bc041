import { expect, test } from "bun:test";
import fc from "fast-check";
import { ollamaUrl } from "./ollama-host.ts";

test.each([
  ["127.0.0.1", "http://127.0.0.1:11434"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["0.0.0.0:8000", "http://127.0.0.1:8000"],
  [":8000", "http://127.0.0.1:8000"],
  ["gpu-box:80", "http://gpu-box"],
  ["http://gpu-box", "http://gpu-box"],
  ["https://gpu-box", "https://gpu-box"],
  ["https://gpu-box:8443/ollama/", "https://gpu-box:8443/ollama"],
  ["::1", "http://[::1]:11434"],
  ["[::]:9000", "http://[::1]:9000"],
  [' "gpu-box" ', "http://gpu-box:11434"],
])("$OLLAMA_HOST %p is asked at %p", (text, url) => {
  expect(ollamaUrl(text)).toBe(url);
});

test.each(["", "a b", "host:port", "host:99999", "ftp://x y"])("%p is no address", (text) => {
  expect(ollamaUrl(text)).toBeUndefined();
});

test("what comes out is always an http address", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.ipV4(), fc.ipV6()), (text) => {
      const url = ollamaUrl(text);
      if (url !== undefined) expect(new URL(url).protocol).toMatch(/^https?:$/);
    }),
  );
});
