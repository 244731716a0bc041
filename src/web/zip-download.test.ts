import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { curl } from "../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { temporaryFile } from "../testing/temporary-file.ts";
import { lastOf, tusClient } from "../testing/tus-client.ts";

const MB = 1_000_000;

type Named = [path: string, bytes: Uint8Array<ArrayBuffer>];

/** A bundle of these files, by their places in it. Gives the address of its page. */
async function bundle(web: TestWeb, files: Named[], settings: object = {}): Promise<string> {
  const link = await web.link();
  await fetch(`${link}/settings`, {
    method: "POST",
    body: JSON.stringify({ files: files.length, ...settings }),
  });
  const tus = tusClient(link);
  let share = "";
  for (const [relativePath, bytes] of files) {
    const upload = await tus.begin(bytes.length, { filename: lastOf(relativePath), relativePath });
    const done = await (bytes.length === 0 ? tus.head(upload) : tus.patch(upload, 0, bytes));
    share = done.headers.get("content-location") ?? share;
  }
  return share;
}

const FILES: Named[] = [
  ["holiday/beach.jpg", randomBytes(2 * MB)],
  ["holiday/empty.txt", new Uint8Array()],
  ["holiday/sub/film – größe.mp4", randomBytes(3 * MB)],
  ["readme.txt", new TextEncoder().encode("read me")],
];

let web: TestWeb;
let url: string;
let whole: Buffer;
let headers: Headers;
beforeAll(async () => {
  web = await openTestWeb();
  url = `${await bundle(web, FILES, { title: "Holiday" })}/download`;
  const response = await fetch(url);
  headers = response.headers;
  whole = Buffer.from(await response.bytes());
});
afterAll(() => web?.[Symbol.asyncDispose]());

const ask = (headers: HeadersInit = {}, method = "GET") => fetch(url, { headers, method });

describe("a bundle comes as one ZIP", () => {
  test("whose length is known before a byte of it is read, and is what comes", async () => {
    const head = await ask({}, "HEAD");
    expect(Number(head.headers.get("content-length"))).toBe(whole.length);
    expect(await head.text()).toBe("");
  });

  test("that says what it is, and can't act in a browser", async () => {
    for (const said of [headers, (await ask({}, "HEAD")).headers]) {
      expect(Object.fromEntries(said)).toMatchObject({
        "content-type": "application/zip",
        "content-disposition": "attachment; filename=Holiday.zip",
        etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
        "last-modified": expect.stringMatching(/ GMT$/),
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
      });
    }
  });

  test("that unzip finds without fault, with every file in its folder as it was sent", async () => {
    await using zip = await temporaryFile("bundle.zip", new Uint8Array(whole));
    const tested = Bun.spawnSync(["unzip", "-t", zip.path]);
    expect([tested.exitCode, tested.stdout.toString()]).toEqual([0, expect.stringContaining("No errors")]);

    const folder = await mkdtemp(join(tmpdir(), "wisbot-unzip-"));
    try {
      expect(Bun.spawnSync(["unzip", "-q", zip.path, "-d", folder]).exitCode).toBe(0);
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      expect(entries.filter((entry) => entry.isFile())).toHaveLength(FILES.length);
      for (const [path, bytes] of FILES) {
        expect(Buffer.from(await Bun.file(join(folder, path)).bytes()).equals(bytes)).toBe(true);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("that is the same each time, also after a restart", async () => {
    await using before = await openTestWeb();
    const share = await bundle(before, [
      ["a.txt", new TextEncoder().encode("first")],
      ["b.txt", new TextEncoder().encode("second")],
    ]);
    const get = async () => {
      const response = await fetch(`${share}/download`);
      return [response.headers.get("etag"), Buffer.from(await response.bytes()).toString("base64")];
    };
    const first = await get();
    expect(await get()).toEqual(first);
    await using _ = await before.restart();
    expect(await get()).toEqual(first);
  });
});

describe("a ZIP is resumed", () => {
  test("from any byte of it: the parts make the whole", async () => {
    const third = Math.floor(whole.length / 3);
    const ranges = [`bytes=0-${third - 1}`, `bytes=${third}-${2 * third}`, `bytes=${2 * third + 1}-`];
    const parts: Uint8Array[] = [];
    for (const range of ranges) {
      const part = await ask({ range, "if-range": headers.get("etag") ?? "" });
      expect(part.status).toBe(206);
      parts.push(await part.bytes());
    }
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  test("at the seams between records and files, and at its very end", async () => {
    for (const [start, end] of [
      [0, 0],
      [29, 31],
      [2 * MB, 2 * MB + 200],
      [whole.length - 23, whole.length - 1],
    ] as const) {
      const part = await ask({ range: `bytes=${start}-${end}` });
      expect(part.headers.get("content-range")).toBe(`bytes ${start}-${end}/${whole.length}`);
      expect(Number(part.headers.get("content-length"))).toBe(end - start + 1);
      expect(Buffer.from(await part.bytes()).equals(whole.subarray(start, end + 1))).toBe(true);
    }
    const last = await ask({ range: "bytes=-22" });
    expect(Buffer.from(await last.bytes()).equals(whole.subarray(-22))).toBe(true);
  });

  test("by curl -C, after it was cut in the middle", async () => {
    await using part = await temporaryFile("bundle.zip", new Uint8Array(whole.subarray(0, 2_345_678)));
    const sent = await curl(["-C", "-", "-o", part.path, url]);
    expect([sent.exitCode, sent.status]).toEqual([0, 206]);
    expect(Buffer.from(await Bun.file(part.path).bytes()).equals(whole)).toBe(true);
  });

  test("only as long as it is the same: another version comes whole, what is there already not at all", async () => {
    const other = await ask({ range: "bytes=0-9", "if-range": '"another"' });
    expect([other.status, (await other.bytes()).length]).toEqual([200, whole.length]);
    const same = await ask({ "if-none-match": headers.get("etag") ?? "" });
    expect([same.status, await same.text()]).toEqual([304, ""]);
    const beyond = await ask({ range: `bytes=${whole.length}-` });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${whole.length}`]);
  });
});

describe("a ZIP whose file is gone", () => {
  const recorded = (one: TestWeb) =>
    one
      .log()
      .split("\n")
      .filter((line) => line.includes('"level":"error"'));

  async function broken(one: TestWeb, size: number): Promise<string> {
    const names = ["a.bin", "b.bin", "c.bin"];
    const share = await bundle(
      one,
      names.map((name) => [name, randomBytes(size)]),
    );
    const [, second] = await one.files.members(await one.files.get(lastOf(share)));
    await one.blobs.delete(second?.blobKey ?? "");
    return `${share}/download`;
  }

  test("breaks off in the middle of its bytes, so that nobody takes it for whole, and is recorded once", async () => {
    await using one = await openTestWeb();
    const address = await broken(one, 3 * MB);
    const sent = await curl(["-o", "/dev/null", address]);
    expect(sent.status).toBe(200);
    // curl's 18: a partial file; 56: the connection broke.
    expect([18, 56]).toContain(sent.exitCode);
    expect(recorded(one)).toHaveLength(1);
    expect(recorded(one)[0]).toContain("damaged or gone");
    expect((await fetch(`${one.url}/live`)).status).toBe(200);
  });

  test("can still be had up to there and from there on", async () => {
    await using one = await openTestWeb();
    const address = await broken(one, 3 * MB);
    for (const range of ["bytes=0-2999999", "bytes=-3000000"]) {
      const part = await fetch(address, { headers: { range } });
      expect([part.status, (await part.bytes()).length]).toEqual([206, 3 * MB]);
    }
    expect(recorded(one)).toEqual([]);
  });

  test("is 500 with an error id where it is small enough to be looked at first, and recorded once", async () => {
    await using one = await openTestWeb();
    const response = await fetch(await broken(one, 1_000));
    expect(response.status).toBe(500);
    const { error_id, hint } = await response.json();
    expect(hint).toContain("one by one");
    expect(recorded(one)).toHaveLength(1);
    expect(recorded(one)[0]).toContain(error_id);
  });
});

test("a client that leaves in the middle of a ZIP is no failure", async () => {
  await using one = await openTestWeb();
  const share = await bundle(one, [
    ["a.bin", randomBytes(8 * MB)],
    ["b.bin", randomBytes(8 * MB)],
  ]);
  const leaving = new AbortController();
  const response = await fetch(`${share}/download`, { signal: leaving.signal });
  await response.body?.getReader().read();
  leaving.abort();
  const again = await fetch(`${share}/download`);
  expect((await again.bytes()).length).toBeGreaterThan(16 * MB);
  expect(one.log()).not.toContain('"level":"error"');
});
