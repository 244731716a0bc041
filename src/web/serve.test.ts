import { describe, expect, test } from "bun:test";
import { isWisError } from "../errors.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw } from "../testing/raw-http.ts";

const ticketOf = (link: string) => link.split("/").at(-1) ?? "";

/** Starts an upload that has not ended, and waits until it is being received. */
async function beginUpload(one: TestWeb, length: number) {
  const link = await one.link("1");
  const connection = await openRaw(one.port);
  const path = new URL(link).pathname;
  await connection.write(`PUT ${path}/a.bin HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
  await one.becomes(link, "busy");
  return { link, connection };
}

describe("stopping", () => {
  test("lets an upload that is under way finish", async () => {
    await using one = await openTestWeb();
    const { connection } = await beginUpload(one, 5);
    const stopped = one.web.stop(5_000);
    await connection.write("hello");
    expect(await connection.until("/f/")).toStartWith("HTTP/1.1 201");
    await stopped;
    expect(await one.index.usage("1")).toEqual({ files: 1, bytes: 5 });
  });

  test("cuts at its deadline what has not finished, and gives its link back", async () => {
    await using one = await openTestWeb();
    const { link, connection } = await beginUpload(one, 1_000_000);
    await connection.write("some");
    await one.web.stop(50);
    expect((await one.files.inspect(ticketOf(link))).state).toBe("open");
    expect(await one.index.usage("1")).toEqual({ files: 1, bytes: 0 });
    expect(await Array.fromAsync(one.blobs.keys())).toEqual([]);
  });

  test("takes no time when only idle connections are open, and refuses new ones", async () => {
    await using one = await openTestWeb();
    await (await fetch(`${one.url}/live`)).text();
    using _idle = await openRaw(one.port);
    const began = performance.now();
    await one.web.stop(5_000);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(fetch(`${one.url}/live`)).rejects.toThrow();
  });
});

test("a port in use is said with what to do", async () => {
  await using one = await openTestWeb();
  const again = await openTestWeb({ port: one.port }).catch((error: unknown) => error);
  expect(isWisError(again, "port.in_use")).toBe(true);
  expect(again).toMatchObject({
    say: expect.stringContaining(String(one.port)),
    hint: expect.stringContaining("web.port"),
  });
});
