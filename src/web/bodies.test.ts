import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw, requestRaw } from "../testing/raw-http.ts";

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const idOf = (url: string) => url.split("/").at(-1) ?? "";
const pathOf = (url: string) => new URL(url).pathname;

describe("bodies that lie or crawl", () => {
  test("a body slower than the rule is ended with a sentence, and its link works again", async () => {
    await using one = await openTestWeb({
      beat: 20,
      paceRules: { stall: 100, window: 100, minBytesPerSecond: 1 },
    });
    const link = await one.link("1");
    using connection = await openRaw(one.port);
    await connection.write(
      `PUT ${pathOf(link)}/a.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc`,
    );
    const answer = await connection.until("upload.slow");
    expect(answer).toStartWith("HTTP/1.1 408");
    expect((await one.files.inspect(idOf(link))).state).toBe("open");
    expect((await one.index.usage("1")).bytes).toBe(0);
  });

  test("a body shorter than its length gives the link back and keeps nothing", async () => {
    const link = await web.link("short");
    {
      using connection = await openRaw(web.port);
      await connection.write(
        `PUT ${pathOf(link)}/a.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc`,
      );
      await web.becomes(link, "busy");
    }
    await web.becomes(link, "open");
    expect(await web.index.usage("short")).toMatchObject({ bytes: 0 });
    // Whoever leaves is no failure of ours.
    expect(web.log()).not.toContain('"level":"error"');
  });

  test("a body longer than its length ends at its length", async () => {
    const link = await web.link();
    const { answer } = await requestRaw(
      web.port,
      `PUT ${pathOf(link)}/a.txt HTTP/1.1\r\nContent-Length: 3`,
      "abcdefgh",
    );
    expect(answer).toStartWith("HTTP/1.1 201");
    const share = /http:\S+\/f\/[\w-]+/.exec(answer)?.[0] ?? "";
    expect(await (await fetch(`${share}/download`)).text()).toBe("abc");
  });

  test.each([
    ["a negative length", "Content-Length: -5"],
    ["a length that is no number", "Content-Length: 1e9"],
    ["two lengths", "Content-Length: 3\r\nContent-Length: 4"],
    ["a length and chunks", "Content-Length: 3\r\nTransfer-Encoding: chunked"],
  ])("%s is refused", async (_, header) => {
    const link = await web.link();
    const { status } = await requestRaw(web.port, `PUT ${pathOf(link)}/a.txt HTTP/1.1\r\n${header}`, "abc");
    expect(status).toBe(400);
    expect((await web.files.inspect(idOf(link))).state).toBe("open");
  });

  test("an absurd length is refused before a byte is read", async () => {
    const link = await web.link();
    using connection = await openRaw(web.port);
    await connection.write(
      `PUT ${pathOf(link)}/a.bin HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999\r\n\r\n`,
    );
    expect(await connection.until("file.too_large")).toStartWith("HTTP/1.1 413");
  });

  test("many tiny chunks don't dodge the limit, and leave nothing", async () => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "10kB" } } });
    const link = await one.link();
    using connection = await openRaw(one.port);
    await connection.write(
      `PUT ${pathOf(link)}/a.bin HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    await connection.write("1\r\nx\r\n".repeat(10_001));
    expect(await connection.until("file.too_large")).toStartWith("HTTP/1.1 413");
    await one.becomes(link, "open");
    const keys = await Array.fromAsync(one.blobs.keys());
    expect(keys).toEqual([]);
  });

  test("two uploads at once through one link: one is taken, the other hears 409 or 410", async () => {
    const link = await web.link();
    const put = () => fetch(`${link}/a.bin`, { method: "PUT", body: new Uint8Array(500_000) });
    const statuses = (await Promise.all([put(), put(), put(), put()])).map(({ status }) => status).sort();
    expect(statuses[0]).toBe(201);
    expect(statuses.slice(1).every((status) => status === 409 || status === 410)).toBe(true);
  });

  test("a body for a page that takes none is not kept in memory", async () => {
    const before = process.memoryUsage().rss;
    const body = new Uint8Array(60_000_000);
    for (let i = 0; i < 3; i += 1) expect((await fetch(web.url, { method: "POST", body })).status).toBe(405);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });
});
