import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { startCdn } from "../testing/discord/cdn.ts";
import { openTestDesk } from "../testing/file-desk.ts";
import { comesFrom, openAttachment, withoutLink } from "./attachment.ts";

const discord = ["cdn.discordapp.com", "media.discordapp.net"];

for (const [address, hosts, allowed] of [
  ["https://cdn.discordapp.com/attachments/1/2/a.png", discord, true],
  ["https://CDN.discordapp.com/a", discord, true],
  ["https://media.discordapp.net/a", discord, true],
  ["http://cdn.discordapp.com/a", discord, false],
  ["https://cdn.discordapp.com:8443/a", discord, false],
  ["https://cdn.discordapp.com.evil.example/a", discord, false],
  ["https://evil.example/cdn.discordapp.com", discord, false],
  ["https://user@cdn.discordapp.com/a", discord, false],
  ["https://cdn.discordapp.com@evil.example/a", discord, false],
  ["http://169.254.169.254/latest/meta-data", discord, false],
  ["http://127.0.0.1:8080/a", discord, false],
  ["file:///etc/passwd", discord, false],
  ["nonsense", discord, false],
  ["https://files.example.org:8443/a", ["files.example.org:8443"], true],
  ["http://files.example.org:8443/a", ["files.example.org:8443"], false],
  ["http://10.0.0.5:9000/a", ["http://10.0.0.5:9000"], true],
  ["http://10.0.0.5:9001/a", ["http://10.0.0.5:9000"], false],
  ["http://127.0.0.1:9000/a", ["127.0.0.1:9000"], true],
  ["http://127.0.0.1:9000/a", ["127.0.0.1"], true],
  ["http://127.0.0.1:9001/a", ["127.0.0.1:9000"], false],
] as const) {
  test(`${address} ${allowed ? "is taken" : "is refused"} where ${hosts.join(", ")} may be asked`, () => {
    expect(comesFrom(address, hosts)).toBe(allowed);
  });
}

const notes = { name: "notes.txt", size: 6, contentType: "text/plain" };
const shuttingDown = () => new WisError("shutting_down", { say: "WisBot is shutting down." });

/** An attachment of six bytes on a CDN, of which only `after` ever arrive, on its way to a real file desk. */
async function openStalled(after: number) {
  await using opening = new AsyncDisposableStack();
  const desk = opening.use(await openTestDesk());
  const cdn = await startCdn();
  opening.defer(() => cdn.stop());
  const bytes = new TextEncoder().encode("secret");
  const url = cdn.put({ path: "1/2/notes.txt", ...notes, bytes, trouble: { kind: "stall", after } });
  const closing = new AbortController();
  const opened = opening.move();
  return {
    desk,
    closing,
    open: () => openAttachment({ ...notes, url }, { cdn: [cdn.origin], closing: closing.signal }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

test("an attachment still coming in when wisbot ends is given back at once: no row, no bytes", async () => {
  await using t = await openStalled(3);
  const added = t.desk.files.add({ ownerId: "1" }, await t.open());
  const rows = () => Array.fromAsync(t.desk.files.list({}));
  while ((await rows()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  const reason = shuttingDown();
  t.closing.abort(reason);
  expect(await added.catch((error: unknown) => error)).toBe(reason);
  expect(await rows()).toEqual([]);
  expect(await t.desk.verify()).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
});

test("an attachment that is asked for while wisbot ends is refused with the same sentence", async () => {
  await using t = await openStalled(3);
  const reason = shuttingDown();
  t.closing.abort(reason);
  expect(await t.open().catch((error: unknown) => error)).toBe(reason);
});

for (const code of ["upload.cut", "upload.slow", "upload.length_mismatch"] as const) {
  test(`${code} speaks of no link where there is none`, () => {
    const error = new WisError(code, { say: "It broke off.", hint: "Send it again: the same link works." });
    const told = withoutLink(error);
    expect(told).toMatchObject({ code, say: "It broke off.", cause: error });
    expect(String(told instanceof WisError && told.hint)).not.toContain("same link");
  });
}
