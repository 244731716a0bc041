import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { toWisError } from "../../errors.ts";
import { type ShownFiles, shownFiles } from "../../testing/shown-files.ts";
import type { WebEnv } from "../env.ts";
import { statusOf } from "../problem.ts";
import { createRateGate } from "../rates.ts";
import { view } from "./view.ts";

let shown: ShownFiles;
let app: Hono<WebEnv>;
beforeAll(async () => {
  shown = await shownFiles();
  const { files } = shown;
  const door = { gate: createRateGate(), unlockAgain: files.unlock, publicUrl: "http://wisbot.test" };
  app = new Hono<WebEnv>().get("/f/:id/view", view({ files, ...door }));
  app.onError((error, c) => c.text(toWisError(error).say, statusOf[toWisError(error).code]));
});
afterAll(() => shown?.[Symbol.asyncDispose]());

const BYTES = new Uint8Array(1000).map((_, at) => at % 256);

async function ask(name: string, type: string, init?: RequestInit): Promise<Response> {
  return app.request(`/f/${await shown.add(name, type, BYTES)}/view`, init);
}

describe("a view", () => {
  test.each([
    ["a.png", "image/png", "image/png"],
    ["a.png", "application/octet-stream", "image/png"],
    ["a.jpg", "image/jpeg; charset=utf-8", "image/jpeg"],
    ["a.mp3", "audio/mpeg", "audio/mpeg"],
    ["a.mp4", "video/mp4", "video/mp4"],
  ])("of %s (%s) is shown as %s and can't act", async (name, type, sent) => {
    const response = await ask(name, type);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": sent,
      "content-length": "1000",
      "content-disposition": expect.stringMatching(/^inline/),
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringMatching(/^sandbox; default-src 'none'; /),
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "private, no-cache",
      "accept-ranges": "bytes",
    });
    expect(await response.bytes()).toEqual(BYTES);
  });

  test("of a PDF is bytes without a meaning: only pdf.js reads it, never the browser's own reader", async () => {
    const response = await ask("a.pdf", "application/pdf");
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment/);
  });

  test.each([
    ["a.html", "text/html"],
    ["a.svg", "image/svg+xml"],
    ["a.xhtml", "application/xhtml+xml"],
    ["a.xml", "text/xml"],
    ["a.js", "text/javascript"],
    ["a.md", "text/markdown"],
    ["a.txt", "text/plain"],
    ["a.zip", "application/zip"],
    ["a.swf", "application/x-shockwave-flash"],
    ["a.mht", "multipart/related"],
    ["a.png", "image/svg+xml"],
  ])("of %s (%s) there is none", async (name, type) => {
    const response = await ask(name, type);
    expect([response.status, await response.text()]).toEqual([404, "This file has no preview."]);
  });

  test("of an unknown file is 404", async () => {
    expect((await app.request("/f/nothing/view")).status).toBe(404);
  });

  test("gives a range, 304 for what is there already, 416 outside, and HEAD as GET", async () => {
    const part = await ask("a.mp4", "video/mp4", { headers: { range: "bytes=10-19" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 10-19/1000"]);
    expect(await part.bytes()).toEqual(BYTES.slice(10, 20));
    const etag = part.headers.get("etag") ?? "";
    expect((await ask("a.mp4", "video/mp4", { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await ask("a.mp4", "video/mp4", { headers: { range: "bytes=1000-" } })).status).toBe(416);
    const head = await ask("a.mp4", "video/mp4", { method: "HEAD" });
    expect([head.headers.get("content-length"), await head.text()]).toEqual(["1000", ""]);
  });

  test("carries a hostile name without letting it into the headers", async () => {
    const name = 'a"\r\nx-injected: 1\r\n\r\n<script>.png';
    const response = await ask(name, "image/png");
    expect(response.headers.get("x-injected")).toBeNull();
    expect(response.headers.get("content-disposition")).toMatch(/^inline; filename=/);
  });
});
