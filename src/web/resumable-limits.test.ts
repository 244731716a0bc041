import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw } from "../testing/raw-http.ts";
import { lastOf, offsetOf, tusClient } from "../testing/tus-client.ts";

// A million chunks on a busy machine.
setDefaultTimeout(30_000);

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

async function downloaded(response: Response): Promise<string> {
  const share = response.headers.get("content-location");
  if (!share) throw new Error(`${response.status} without a share`);
  return await (await fetch(`${share}/download`)).text();
}

describe("a length that lies", () => {
  test("more bytes than announced are refused, in one request or bit by bit", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(5);
    expect((await tus.patch(upload, 0, "too long")).status).toBe(413);
    expect(offsetOf(await tus.head(upload))).toBe(0);
    await tus.patch(upload, 0, "hel");
    expect((await tus.patch(upload, 3, "lo and more")).status).toBe(413);
    expect(await downloaded(await tus.patch(upload, 3, "lo"))).toBe("hello");
  });

  test("more bytes than announced are refused in a chunked body too, where no header gives them away", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(5);
    const head = tus
      .patchHead(upload, 0, 0)
      .replace("Content-Length: 0", "Transfer-Encoding: chunked\r\nConnection: close");
    using connection = await openRaw(web.port);
    await connection.write(`${head}8\r\ntoo long\r\n0\r\n\r\n`);
    expect(await connection.until("file.too_large")).toStartWith("HTTP/1.1 413");
    expect(offsetOf(await tus.head(upload))).toBeLessThanOrEqual(5);
  });

  test("less than announced is no file, and is gone on with", async () => {
    const link = await web.link();
    const tus = tusClient(link);
    const upload = await tus.begin(10);
    const cut = await tus.patch(upload, 0, "hello");
    expect([cut.status, offsetOf(cut), cut.headers.get("content-location")]).toEqual([204, 5, null]);
    expect((await web.files.inspect(lastOf(link))).state).toBe("open");
    expect(await downloaded(await tus.patch(upload, 5, "world"))).toBe("helloworld");
  });

  test("one that is never said makes no file, however much arrives", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(undefined);
    for (let offset = 0; offset < 20; offset += 5) {
      expect((await tus.patch(upload, offset, "hello")).headers.get("content-location")).toBeNull();
    }
    expect(offsetOf(await tus.head(upload))).toBe(20);
  });

  test("one that is said twice, or is smaller than what is here, is refused", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(undefined);
    await tus.patch(upload, 0, "hello");
    expect((await tus.patch(upload, 5, "", { "upload-length": "4" })).status).toBe(400);
    expect((await tus.patch(upload, 5, "w", { "upload-length": "10" })).status).toBe(204);
    expect((await tus.patch(upload, 6, "o", { "upload-length": "11" })).status).toBe(400);
    expect(offsetOf(await tus.head(upload))).toBe(6);
  });

  test("one over the limit is refused before a byte: announced at once or later", async () => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "1kB" } } });
    const tus = tusClient(await one.link());
    expect((await tus.create(1_001)).status).toBe(413);
    expect((await tus.create(999_999_999_999_999)).status).toBe(413);
    const upload = await tus.begin(undefined);
    expect((await tus.patch(upload, 0, "x", { "upload-length": "1001" })).status).toBe(413);
    expect(offsetOf(await tus.head(upload))).toBe(0);
  });

  test("a million tiny chunks get past neither the limit nor the memory, and leave nothing", async () => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "900kB" } } });
    const link = await one.link("1");
    const tus = tusClient(link);
    const upload = await tus.begin(undefined);
    const head = tus.patchHead(upload, 0, 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    const before = process.memoryUsage().rss;
    using connection = await openRaw(one.port);
    await connection.write(head);
    await connection.write("1\r\nx\r\n".repeat(1_000_000));
    expect(await connection.until("file.too_large")).toStartWith("HTTP/1.1 413");
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    expect(offsetOf(await tus.head(upload))).toBeLessThanOrEqual(900_000);
    expect((await tus.cancel(upload)).status).toBe(204);
    expect(await one.files.usage("1")).toMatchObject({ bytes: 0 });
    expect(await one.blobs.sweep(() => false)).toBe(0);
  });

  test("many small requests get past the limit no more than one large one", async () => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "20B" } } });
    const tus = tusClient(await one.link());
    const upload = await tus.begin(undefined);
    for (let offset = 0; offset < 20; offset += 5)
      expect((await tus.patch(upload, offset, "hello")).status).toBe(204);
    expect((await tus.patch(upload, 20, "!")).status).toBe(413);
  });
});

describe("the owner's quota", () => {
  const config = { files: { max_bytes_per_user: "10B" } };

  test("holds an upload's whole length from its first moment on, and has it back when it is cancelled", async () => {
    await using one = await openTestWeb({ config });
    const first = tusClient(await one.link("1"));
    const upload = await first.begin(10);
    expect(await one.files.usage("1")).toMatchObject({ bytes: 10 });
    const other = tusClient(await one.link("1"));
    const refused = await other.create(1);
    expect([refused.status, (await refused.json()).type]).toEqual([413, "urn:wisbot:problem:quota.bytes"]);
    expect((await first.cancel(upload)).status).toBe(204);
    expect(await one.files.usage("1")).toMatchObject({ bytes: 0 });
    expect((await first.head(upload)).status).toBe(404);
    expect((await other.create(10)).status).toBe(201);
  });

  test("is not gone past by not saying a length", async () => {
    await using one = await openTestWeb({ config });
    const tus = tusClient(await one.link("1"));
    const upload = await tus.begin(undefined);
    expect((await tus.patch(upload, 0, "hello")).status).toBe(204);
    expect((await tus.patch(upload, 5, "worlds")).status).toBe(413);
    expect((await one.files.usage("1")).bytes).toBeLessThanOrEqual(10);
  });

  test("is not gone past by a hundred who ask at once", async () => {
    await using one = await openTestWeb({
      config,
      rates: { requestsPerMinute: 10_000, uploadsAtOncePerClient: 200 },
    });
    const links = await Promise.all(Array.from({ length: 15 }, () => one.link("1")));
    const ask = (_: unknown, at: number) => tusClient(links[at % links.length] ?? "").create(10);
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(1);
    expect(await one.files.usage("1")).toMatchObject({ bytes: 10 });
  });

  test("is given back by an upload that nobody goes on with, when its time is over", async () => {
    let now = Date.now();
    await using one = await openTestWeb({ now: () => now, config: { files: { resume_for: "6h" } } });
    const link = await one.link("1");
    const tus = tusClient(link);
    const upload = await tus.begin(1_000_000);
    await tus.patch(upload, 0, "hello");
    now += 6 * 3_600_000 - 1;
    await one.cleanUp();
    expect(await one.files.usage("1")).toMatchObject({ bytes: 1_000_000 });
    now += 3_600_000;
    await one.cleanUp();
    expect(await one.files.usage("1")).toMatchObject({ bytes: 0 });
    // The bytes first; the link, which is over too, the next time.
    await one.cleanUp();
    expect(await one.files.usage("1")).toMatchObject({ files: 0 });
    expect((await tus.patch(upload, 5, "late")).status).toBe(404);
    expect((await fetch(link)).status).toBe(410);
    expect(await one.blobs.sweep(() => false)).toBe(0);
  });
});
