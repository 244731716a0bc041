import { expect, test } from "bun:test";
import { zipSync } from "fflate";
import { type Packed, readPacked, type ThreadOptions } from "./thread.ts";

const HANGS = "self.onmessage = () => { for (;;); }";
const EATS = "self.onmessage = () => { for (const held = []; ; ) held.push(new Uint8Array(4e6).fill(1)); }";

const xml = "<w:document><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:document>";
const report: Packed = {
  name: "report.docx",
  kind: "zip",
  bytes: zipSync({ "word/document.xml": new TextEncoder().encode(xml) }),
};

function read(options: Partial<ThreadOptions>) {
  const signal = new AbortController().signal;
  return readPacked([report], { maxCharacters: 1000, signal, ...options });
}

test("a thread that hangs is ended when nobody wants its answer any more", async () => {
  const asker = new AbortController();
  const reading = read({ source: HANGS, signal: asker.signal });
  asker.abort(new Error("taken back"));
  await expect(reading).rejects.toThrow("taken back");
});

test.each([
  ["hangs", HANGS, { ms: 50, memory: Number.POSITIVE_INFINITY }, "report.docx took too long to read."],
  ["eats memory", EATS, { ms: 20_000, memory: 64_000_000 }, "report.docx is too large to be read."],
  ["fails", "self.onmessage = () => { throw new Error('no') }", undefined, "report.docx is damaged"],
  ["ends", "self.onmessage = () => process.exit(0)", undefined, "report.docx is damaged"],
])("a thread that %s is ended, and its file is refused by name", async (_, source, bounds, say) => {
  const refused: unknown = await read({ source, ...(bounds && { bounds }) }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "attachment.unreadable", say: expect.stringContaining(say) });
});

test("few threads run at once, and whoever waits may leave", async () => {
  const asker = new AbortController();
  const hanging = Array.from({ length: 5 }, () => read({ source: HANGS, signal: asker.signal }));
  const behind = read({});
  asker.abort(new Error("taken back"));
  const ends = await Promise.allSettled(hanging);
  expect(ends.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  expect([...(await behind).values()]).toEqual([{ parts: ["Hello\n"], total: 1 }]);
});
