import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { curl } from "../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { temporaryFile } from "../testing/temporary-file.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

describe("a download", () => {
  const bytes = randomBytes(100_000);
  let url: string;
  beforeAll(async () => {
    url = `${await web.share("Foto – Grüße.jpg", bytes, "image/jpeg")}/download`;
  });
  const ask = (headers: HeadersInit = {}, method = "GET") => fetch(url, { headers, method });

  test("says everything about the file, and HEAD says the same", async () => {
    const [whole, head] = [await ask(), await ask({}, "HEAD")];
    const expected = {
      "content-type": "image/jpeg",
      "content-length": "100000",
      "content-disposition": `attachment; filename="Foto ? Grüße.jpg"; filename*=utf-8''Foto%20%E2%80%93%20Gr%C3%BC%C3%9Fe.jpg`,
      etag: `"${sha256(bytes)}"`,
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
      "referrer-policy": "no-referrer",
    };
    for (const response of [whole, head]) {
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        ...expected,
        "content-disposition": expect.stringContaining("filename*="),
        "last-modified": expect.stringMatching(/ GMT$/),
      });
    }
    expect(sha256(await whole.bytes())).toBe(sha256(bytes));
    expect(await head.text()).toBe("");
  });

  test("gives one range, as many as are asked for", async () => {
    const response = await ask({ range: "bytes=100-199" });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe("bytes 100-199/100000");
    expect(response.headers.get("content-length")).toBe("100");
    expect(Buffer.from(await response.bytes())).toEqual(bytes.subarray(100, 200));
  });

  test("gives all of it for several ranges, and for If-Range of another version", async () => {
    for (const headers of [{ range: "bytes=0-1,5-6" }, { range: "bytes=0-1", "if-range": '"old"' }]) {
      const response = await ask(headers);
      expect([response.status, (await response.bytes()).length]).toEqual([200, 100_000]);
    }
    const same = await ask({ range: "bytes=0-1", "if-range": `"${sha256(bytes)}"` });
    expect(same.status).toBe(206);
  });

  test("outside of the file is 416 with its size", async () => {
    const response = await ask({ range: "bytes=100000-" });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe("bytes */100000");
  });

  test("of what the client has is 304 without a body", async () => {
    const date = (await ask({}, "HEAD")).headers.get("last-modified") ?? "";
    for (const headers of [
      { "if-none-match": `"${sha256(bytes)}"` },
      { "if-none-match": "*" },
      { "if-modified-since": date },
    ]) {
      const response = await ask(headers);
      expect([response.status, await response.text()]).toEqual([304, ""]);
      expect(response.headers.get("etag")).toBe(`"${sha256(bytes)}"`);
    }
    expect((await ask({ "if-none-match": '"other"' })).status).toBe(200);
  });

  test("of what is no longer there as the client knew it is 412 (RFC 9110, 13.1.1 and 13.1.4)", async () => {
    const head = await ask({}, "HEAD");
    const date = head.headers.get("last-modified") ?? "";
    const earlier = new Date(Date.parse(date) - 1_000).toUTCString();
    const etag = `"${sha256(bytes)}"`;
    const other: Record<string, string>[] = [
      { "if-match": '"other"' },
      { "if-match": `W/${etag}` },
      { "if-match": `"a", "b"`, "if-none-match": etag },
      { "if-match": '"other"', range: "bytes=0-1", "if-range": etag },
      { "if-match": '"other"', "if-unmodified-since": date },
      { "if-unmodified-since": earlier },
    ];
    for (const headers of other) {
      for (const method of ["GET", "HEAD"]) {
        const refused = await ask(headers, method);
        expect([headers, refused.status]).toEqual([headers, 412]);
        const said = await refused.text();
        if (method === "GET") expect(JSON.parse(said).type).toBe("urn:wisbot:problem:precondition.failed");
      }
    }
    const same: [Record<string, string>, number][] = [
      [{ "if-match": etag }, 200],
      [{ "if-match": "*" }, 200],
      [{ "if-match": `"other" ,${etag}` }, 200],
      [{ "if-match": etag, "if-unmodified-since": earlier }, 200],
      [{ "if-match": etag, range: "bytes=0-1" }, 206],
      [{ "if-match": etag, "if-none-match": etag }, 304],
      [{ "if-unmodified-since": date }, 200],
      [{ "if-unmodified-since": "yesterday" }, 200],
    ];
    for (const [headers, status] of same) {
      const response = await ask(headers);
      await response.body?.cancel();
      expect([headers, response.status]).toEqual([headers, status]);
    }
  });

  test("resumed by curl -C gives the same file", async () => {
    await using part = await temporaryFile("part.jpg", bytes.subarray(0, 40_000));
    const sent = await curl(["-C", "-", "-o", part.path, url]);
    expect([sent.exitCode, sent.status]).toEqual([0, 206]);
    expect(sha256(await Bun.file(part.path).bytes())).toBe(sha256(bytes));
  });

  test("of a removed or expired file is 404, its page too", async () => {
    const share = await web.share("gone.txt", "gone");
    const id = share.split("/").at(-1) ?? "";
    await web.files.remove(id, "admin");
    expect((await fetch(`${share}/download`)).status).toBe(404);
    expect((await fetch(share)).status).toBe(404);
  });

  test("of a file whose bytes are gone is 500, recorded, and says whom to tell", async () => {
    await using one = await openTestWeb();
    const share = await one.share("lost.txt", "lost");
    const { blobKey } = await one.files.get(share.split("/").at(-1) ?? "");
    await one.blobs.delete(blobKey ?? "");
    const response = await fetch(`${share}/download`);
    expect(response.status).toBe(500);
    const { error_id } = await response.json();
    const line = one
      .log()
      .split("\n")
      .find((entry) => entry.includes('"level":"error"'));
    expect(line).toContain(error_id);
  });
});

test("the share page tells name, size, type, SHA-256, expiry, and is no download", async () => {
  const share = await web.share("notes <1>.txt", "hello", "text/plain");
  const html = await (await fetch(share, { headers: HTML })).text();
  for (const part of ["5 B", "text/plain", sha256("hello"), "in 7 days", "/download"])
    expect(html).toContain(part);
  expect(html).not.toContain("<1>");
});

function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
