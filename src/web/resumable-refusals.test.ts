import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { offsetOf, TUS, tusClient } from "../testing/tus-client.ts";

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb({ rates: { guessesPerMinute: 100_000 } });
});
afterAll(() => web?.[Symbol.asyncDispose]());

const VERSIONS: Record<string, string>[] = [
  {},
  { "tus-resumable": "0.2.2" },
  { "tus-resumable": "1.0.0, 2.0.0" },
];

describe("a version of the protocol that is not spoken here", () => {
  test.each(["POST", "PATCH", "HEAD", "DELETE"])("is refused with the one that is: %s", async (method) => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(5);
    for (const headers of VERSIONS) {
      const address = method === "POST" ? tus.uploads : upload;
      const refused = await fetch(address, {
        method,
        headers,
        ...(method !== "HEAD" && { body: "hello" }),
      });
      expect(refused.status).toBe(412);
      expect(Object.fromEntries(refused.headers)).toMatchObject({
        "tus-version": "1.0.0",
        "tus-resumable": "1.0.0",
        "cache-control": "no-store",
        "content-type": "application/problem+json",
      });
      if (method === "HEAD") continue;
      const problem = await refused.json();
      expect(problem.type).toBe("urn:wisbot:problem:precondition.failed");
      expect(problem.error_id).toMatch(/^[0-9a-f]{32}$/);
    }
    expect(offsetOf(await tus.head(upload))).toBe(0);
  });

  test("is nothing to who asks which there are", async () => {
    const asked = await fetch(`${web.url}/api/uploads`, { method: "OPTIONS" });
    expect([asked.status, asked.headers.get("tus-version")]).toEqual([204, "1.0.0"]);
  });
});

test("every other refusal of the protocol is one of ours, with an error id", async () => {
  const tus = tusClient(await web.link());
  const upload = await tus.begin(5);
  const bytes = { ...TUS, "content-type": "application/offset+octet-stream" };
  const asks: [string, string, Record<string, string>][] = [
    ["POST", tus.uploads, { ...TUS, "upload-length": "-1" }],
    ["POST", tus.uploads, { ...TUS, "upload-length": "5", "upload-metadata": ",,," }],
    ["POST", tus.uploads, { ...TUS, "upload-length": "5", "upload-concat": "nonsense" }],
    ["POST", tus.uploads, TUS],
    ["PATCH", upload, { ...bytes, "upload-offset": "zero" }],
    ["PATCH", upload, { ...TUS, "content-type": "text/plain", "upload-offset": "0" }],
    ["PATCH", upload, bytes],
  ];
  for (const [method, address, headers] of asks) {
    const refused = await fetch(address, { method, headers, body: "hello" });
    expect([method, refused.status]).toEqual([method, 400]);
    expect(refused.headers.get("cache-control")).toBe("no-store");
    expect(await refused.json()).toMatchObject({
      type: "urn:wisbot:problem:bad_request",
      error_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  }
  expect((await tus.patch(upload, 0, "hello")).status).toBe(204);
});

test("what two proxies say of themselves is nothing to the protocol", async () => {
  const proxied = { "x-forwarded-proto": "https, http", "x-forwarded-host": "a, b", forwarded: "for=x" };
  const tus = tusClient(await web.link());
  const created = await tus.create(300_000, {}, { headers: proxied });
  expect(created.status).toBe(201);
  const upload = new URL(created.headers.get("location") ?? "", web.url).href;
  expect((await fetch(upload, { method: "HEAD", headers: { ...TUS, ...proxied } })).status).toBe(200);
  const done = await tus.patch(upload, 0, "x".repeat(300_000), proxied);
  expect(done.status).toBe(204);
  const share = done.headers.get("content-location") ?? "";
  expect(await (await fetch(`${share}/download`)).text()).toBe("x".repeat(300_000));
});

describe("the rate of uploads that begin", () => {
  test("is limited for one client, and what has begun goes on", async () => {
    await using one = await openTestWeb({ rates: { creationsPerMinute: 2 } });
    const tus = tusClient(await one.link());
    const upload = await tus.begin(5);
    expect((await tusClient(await one.link()).create(5)).status).toBe(201);
    const refused = await tusClient(await one.link()).create(5);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await tus.patch(upload, 0, "hello")).status).toBe(204);
  });

  test("who speaks another language counts as one who guesses", async () => {
    await using one = await openTestWeb({ rates: { guessesPerMinute: 4 } });
    const tus = tusClient(await one.link());
    const upload = await tus.begin(5);
    for (let i = 0; i < 2; i += 1) {
      expect((await fetch(upload, { method: "HEAD" })).status).toBe(412);
      expect((await fetch(tus.uploads, { method: "POST", headers: TUS })).status).toBe(400);
    }
    expect((await tus.head(upload)).status).toBe(429);
  });

  test("an offset that another request has moved on is no guess", async () => {
    await using one = await openTestWeb({ rates: { guessesPerMinute: 2 } });
    const tus = tusClient(await one.link());
    const upload = await tus.begin(5);
    for (let i = 0; i < 3; i += 1) expect((await tus.patch(upload, 3, "lo")).status).toBe(409);
    expect((await tus.patch(upload, 0, "hello")).status).toBe(204);
  });
});
