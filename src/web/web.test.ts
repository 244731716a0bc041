import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { curl } from "../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { startOtlp } from "../testing/otlp.ts";
import { temporaryFile } from "../testing/temporary-file.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const UNKNOWN = "A".repeat(22);

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb({ bot: { state: "ready", detail: "", inviteUrl: "https://discord.test/invite" } });
});
afterAll(() => web?.[Symbol.asyncDispose]());

const get = (path: string, init?: RequestInit) => fetch(`${web.url}${path}`, init);
const put = (url: string, body: BodyInit, headers: HeadersInit = {}) =>
  fetch(url, { method: "PUT", body, headers });

describe("every address answers as it should", () => {
  test.each([
    ["GET", "/", 200, "text/html"],
    ["HEAD", "/", 200, "text/html"],
    ["GET", "/live", 200, "application/json"],
    ["GET", "/ready", 200, "application/json"],
    ["GET", "/metrics", 200, "text/plain"],
    ["GET", `/u/${UNKNOWN}`, 404, "application/problem+json"],
    ["PUT", `/u/${UNKNOWN}/a.txt`, 404, "application/problem+json"],
    ["PUT", `/u/${UNKNOWN}`, 400, "application/problem+json"],
    ["GET", `/f/${UNKNOWN}`, 404, "application/problem+json"],
    ["GET", `/f/${UNKNOWN}/download`, 404, "application/problem+json"],
    ["GET", "/nothing", 404, "application/problem+json"],
    ["GET", "/assets/style-old.css", 404, "application/problem+json"],
    ["POST", "/", 405, "application/problem+json"],
    ["DELETE", `/f/${UNKNOWN}`, 405, "application/problem+json"],
    ["GET", `/u/${UNKNOWN}/a.txt`, 405, "application/problem+json"],
  ])("%s %s: %i, %s", async (method, path, status, type) => {
    const response = await get(path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toStartWith(type);
    await response.body?.cancel();
  });

  test("a method that is not allowed says which are", async () => {
    const response = await get(`/f/${UNKNOWN}/download`, { method: "POST" });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  test("HEAD tells the length that GET has", async () => {
    for (const path of ["/live", "/nothing"]) {
      const [head, whole] = [await get(path, { method: "HEAD" }), await get(path)];
      expect(Number(head.headers.get("content-length"))).toBe((await whole.bytes()).length);
    }
  });
});

describe("an error", () => {
  test("is a page for browsers", async () => {
    const response = await get(`/u/${UNKNOWN}`, { headers: HTML });
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toStartWith("text/html");
    const html = await response.text();
    expect(html).toStartWith("<!DOCTYPE html>");
    expect(html).toContain("Error id");
  });

  test("is problem+json for others, with what to do and the id of its trace", async () => {
    const problem = await (await get("/nothing")).json();
    expect(problem).toEqual({
      type: "urn:wisbot:problem:not_found",
      title: "Not Found",
      status: 404,
      detail: expect.any(String),
      hint: expect.any(String),
      error_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test("that is the client's own is not logged as ours", async () => {
    await using one = await openTestWeb();
    await fetch(`${one.url}/nothing`);
    expect(one.log()).not.toContain('"level":"error"');
  });
});

describe("home, live and ready", () => {
  test("home shows the parts, how to start, and the invite while the bot is in no server", async () => {
    const html = await (await get("/")).text();
    for (const part of ["Database", "/wis upload", "https://discord.test/invite"])
      expect(html).toContain(part);
  });

  test("live says which wisbot this is", async () => {
    expect(await (await get("/live")).json()).toEqual({
      name: "wisbot",
      version: "0.0.0-test",
      instance: "test",
    });
  });

  test.each([
    ["discord", "failed", 200, "degraded"],
    ["llm", "degraded", 200, "degraded"],
    ["collector", "off", 200, "ok"],
    ["database", "failed", 503, "failed"],
    ["disk", "failed", 503, "failed"],
  ] as const)("ready with %s %s is %i, %s", async (part, state, status, overall) => {
    await using one = await openTestWeb({ parts: [{ part, state, detail: "As it is." }] });
    const response = await fetch(`${one.url}/ready`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ status: overall, parts: { [part]: { state } } });
  });
});

describe("metrics", () => {
  test("count requests by template", async () => {
    await get(`/f/${UNKNOWN}`);
    const text = await (await get("/metrics")).text();
    expect(text).toMatch(/wisbot_http_request_duration_seconds_count\{[^}]*route="\/f\/:id"/);
    expect(text).not.toContain(UNKNOWN);
  });

  test("are for this machine only, and not for a proxy on it, while there is no token", async () => {
    for (const name of ["x-forwarded-for", "forwarded", "x-real-ip", "via"]) {
      expect((await get("/metrics", { headers: { [name]: "127.0.0.1" } })).status).toBe(403);
    }
  });

  test("need the token where there is one", async () => {
    await using one = await openTestWeb({ config: { telemetry: { metrics_token: "correct-horse" } } });
    const ask = async (headers: HeadersInit) => (await fetch(`${one.url}/metrics`, { headers })).status;
    expect(await ask({})).toBe(403);
    expect(await ask({ authorization: "Bearer wrong" })).toBe(403);
    expect(await ask({ authorization: "Bearer correct-horse", "x-forwarded-for": "1.2.3.4" })).toBe(200);
  });

  test("are not there when they are off", async () => {
    await using one = await openTestWeb({ config: { telemetry: { metrics: false } } });
    expect((await fetch(`${one.url}/metrics`)).status).toBe(404);
  });
});

describe("assets", () => {
  test("have addresses of their own content and may be kept for ever", async () => {
    const html = await (await get("/")).text();
    const urls = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, url = ""]) => url);
    expect(urls.length).toBeGreaterThanOrEqual(3);
    for (const url of urls) {
      const response = await get(url);
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toContain("immutable");
      expect((await response.text()).length).toBeGreaterThan(50);
    }
  });
});

describe("an upload", () => {
  test("by curl -T answers the share link in one line, and the bytes come back", async () => {
    const bytes = randomBytes(3_000_000);
    await using folder = await temporaryFile("big file.iso", bytes);
    const sent = await curl(["-T", folder.path, `${await web.link()}/`]);
    expect(sent).toMatchObject({ exitCode: 0, status: 201 });
    expect(sent.body).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/f\/[\w-]{22}\n$/);
    const back = await fetch(`${sent.body.trim()}/download`);
    expect(sha256(await back.bytes())).toBe(sha256(bytes));
    expect(back.headers.get("content-disposition")).toContain('filename="big file.iso"');
  });

  test("by curl from a pipe, of unknown length", async () => {
    const sent = await curl(["-T", "-", `${await web.link()}/dump.bin`], randomBytes(700_000));
    expect(sent).toMatchObject({ exitCode: 0, status: 201 });
    expect((await fetch(`${sent.body.trim()}/download`)).headers.get("content-length")).toBe("700000");
  });

  test("of nothing is a file of no bytes", async () => {
    const url = await web.share("empty.txt", "");
    const back = await fetch(`${url}/download`);
    expect([back.status, await back.text()]).toEqual([200, ""]);
  });

  test("without a name says how to name it", async () => {
    const link = await web.link();
    const sent = await curl(["-T", "-", `${link}/`], randomBytes(10));
    expect(sent.status).toBe(400);
    expect(JSON.parse(sent.body).hint).toContain("LINK/NAME");
  });

  test("uses its link up: the page says so with 410 and links the file, another upload gets 410", async () => {
    const link = await web.link();
    const share = (await (await put(`${link}/a.txt`, "first")).text()).trim();
    const page = await fetch(link, { headers: HTML });
    expect(page.status).toBe(410);
    expect(await page.text()).toContain(new URL(share).pathname);
    const script = await fetch(link);
    expect([script.status, (await script.json()).hint]).toEqual([410, `Its file is at ${share}.`]);
    expect((await put(`${link}/b.txt`, "second")).status).toBe(410);
    expect(await (await fetch(`${share}/download`)).text()).toBe("first");
  });

  test("through an expired link gets 410", async () => {
    let now = Date.now();
    await using one = await openTestWeb({ now: () => now });
    const link = await one.link();
    now += 3_600_001;
    expect((await fetch(link, { headers: HTML })).status).toBe(410);
    expect((await put(`${link}/a.txt`, "late")).status).toBe(410);
  });

  test("is cut by the client: the link works again and nothing is left", async () => {
    const link = await web.link();
    const cut = new AbortController();
    const started = Promise.withResolvers<void>();
    const body = new ReadableStream({
      async pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
        started.resolve();
        await new Promise(() => {});
      },
    });
    const sending = fetch(`${link}/a.bin`, { method: "PUT", body, signal: cut.signal });
    await started.promise;
    await web.becomes(link, "busy");
    cut.abort();
    expect(sending).rejects.toThrow();
    await web.becomes(link, "open");
    expect((await put(`${link}/a.bin`, "again")).status).toBe(201);
  });

  test("page shows limits, how long the link lives, and how curl does it", async () => {
    const link = await web.link();
    const html = await (await fetch(link, { headers: HTML })).text();
    for (const part of [
      "250 MB",
      "7 days",
      "in 60 minutes",
      `curl -T FILE ${link}/`,
      "multipart/form-data",
    ]) {
      expect(html).toContain(part);
    }
    expect((await fetch(`${link}/`, { headers: HTML })).status).toBe(200);
  });
});

describe("an answer while the body still streams reaches curl", () => {
  const MB = 1_000_000;
  test.each([
    ["a length over the limit", ["-T", "FILE"], 413, "file.too_large"],
    ["a length over the limit, sent at once", ["-H", "Expect:", "-T", "FILE"], 413, "file.too_large"],
    [
      "an unknown length that goes over the limit",
      ["-H", "Transfer-Encoding: chunked", "-T", "FILE"],
      413,
      "file.too_large",
    ],
  ])("%s", async (_, args, status, code) => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "1MB" } } });
    await using file = await temporaryFile("big.bin", new Uint8Array(40 * MB));
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const link = await one.link();
      const sent = await curl([...args.map((arg) => (arg === "FILE" ? file.path : arg)), `${link}/`]);
      expect([sent.exitCode, sent.status]).toEqual([0, status]);
      expect(JSON.parse(sent.body)).toMatchObject({ type: `urn:wisbot:problem:${code}`, status });
      expect((await fetch(link)).status).toBe(200);
    }
  });

  test("quota exceeded", async () => {
    await using one = await openTestWeb({ config: { files: { max_bytes_per_user: "1MB" } } });
    await using file = await temporaryFile("big.bin", new Uint8Array(2 * MB));
    const sent = await curl(["-T", file.path, `${await one.link()}/`]);
    expect([sent.exitCode, sent.status]).toEqual([0, 413]);
  });
});

test("requests are traced by template: one root span, with the upload's and the blob's beneath it", async () => {
  await using otlp = await startOtlp();
  await using one = await openTestWeb({ config: { telemetry: { otlp_endpoint: otlp.url } } });
  const share = await one.share("a.txt", "hello");
  await (await fetch(`${share}/download`)).text();
  const span = await otlp.waitFor(({ name }) => name === "GET /f/:id/download");
  const upload = await otlp.waitFor(({ name }) => name === "PUT /u/:ticket/:filename");
  expect(span.attributes).toMatchObject({
    "http.route": "/f/:id/download",
    "http.response.status_code": 200,
  });
  expect(upload.attributes).toMatchObject({ "http.request.method": "PUT", "http.response.status_code": 201 });
});

function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
