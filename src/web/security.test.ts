import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { startOtlp } from "../testing/otlp.ts";
import { requestRaw } from "../testing/raw-http.ts";

// Each case is one that bit a peer of wisbot.

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const idOf = (url: string) => url.split("/").at(-1) ?? "";
const pathOf = (url: string) => new URL(url).pathname;

describe("active content is never served inline", () => {
  test.each([
    ["page.html", "text/html"],
    ["image.svg", "image/svg+xml"],
    ["page.xhtml", "application/xhtml+xml"],
    ["feed.xml", "text/xml"],
    ["paper.pdf", "application/pdf"],
    ["script.js", "text/javascript"],
    ["no-type.html", ""],
    ["innocent.png", "text/html"],
  ])("%s sent as %p", async (name, type) => {
    const share = await web.share(name, "<script>alert(1)</script>", type || undefined);
    const { headers } = await fetch(`${share}/download`);
    expect(headers.get("content-type")).toMatch(/^application\/octet-stream|^image\/png/);
    expect(headers.get("content-disposition")).toStartWith("attachment");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
  });
});

describe("hostile paths never leave the store", () => {
  const paths = [
    "/f/..%2f..%2fetc%2fpasswd",
    "/f/..%5c..%5cwisbot.db",
    "/f/%2e%2e/%2e%2e/etc/passwd",
    "/f/../../wisbot.db",
    "/f/..%252f..%252fetc%252fpasswd/download",
    "/f/....//....//etc/passwd",
    "/f/%00/download",
    "/f/wisbot.db%00/download",
    "/f/%zz/download",
    "/f/%ff%fe/download",
    "/f/.%2e%2fwisbot.db/download",
    "/u/..%2f..%2fetc",
    "/u/%00",
    "/assets/..%2f..%2fpackage.json",
    "/assets/../../package.json",
    "//etc/passwd",
    "/\\..\\..\\wisbot.db",
  ];
  test.each(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"])(
    "whatever the verb: %s",
    async (verb) => {
      for (const path of paths) {
        const { status, answer } = await requestRaw(web.port, `${verb} ${path} HTTP/1.1`);
        expect([path, status >= 400 && status < 500]).toEqual([path, true]);
        expect(answer).not.toContain("root:");
      }
    },
  );

  test("a name that climbs is only a name", async () => {
    for (const name of ["..%2f..%2f..%2fescaped.txt", "..%5c..%5cescaped.txt", "%2e%2e%2fescaped.txt"]) {
      const response = await fetch(`${await web.link()}/${name}`, { method: "PUT", body: "x" });
      expect(response.status).toBe(201);
      const file = await web.files.get(idOf((await response.text()).trim()));
      expect(file.name).toBe("escaped.txt");
    }
  });

  test("a name with a NUL or of broken encoding is refused, and the link still works", async () => {
    const link = await web.link();
    for (const name of ["a%00.txt", "%zz.txt", "%ff.txt"]) {
      expect(
        (await requestRaw(web.port, `PUT ${pathOf(link)}/${name} HTTP/1.1\r\nContent-Length: 1`, "x")).status,
      ).toBe(400);
    }
    expect((await web.files.inspect(idOf(link))).state).toBe("open");
  });
});

describe("file names inject no headers", () => {
  test.each([
    ["line breaks", "a%0d%0aSet-Cookie:%20owned=1.txt"],
    ["quotes", "a%22;filename=%22evil.html"],
    ["right-to-left override", "invoice%E2%80%AEgpj.exe"],
    ["emoji and umlauts", "%F0%9F%8E%89%20Gr%C3%BC%C3%9Fe.txt"],
    ["a semicolon", "a;b=c.txt"],
    ["a percent sign", "100%2525.txt"],
  ])("%s", async (_, name) => {
    const link = await web.link();
    const put = await requestRaw(web.port, `PUT ${pathOf(link)}/${name} HTTP/1.1\r\nContent-Length: 1`, "x");
    expect(put.status).toBe(201);
    const share = put.answer.trim().split("\n").at(-1) ?? "";
    const { answer } = await requestRaw(web.port, `GET ${pathOf(share)}/download HTTP/1.1`);
    const headers = answer.slice(0, answer.indexOf("\r\n\r\n")).split("\r\n").slice(1);
    expect(headers.filter((line) => /^set-cookie/i.test(line))).toEqual([]);
    const dispositions = headers.filter((line) => /^content-disposition:/i.test(line));
    expect(dispositions).toHaveLength(1);
    expect(dispositions[0]).toMatch(
      /^content-disposition: attachment; filename="?[^"]*"?(?:; filename\*=utf-8''[\w%.!#$&+^`|~-]*)?$/i,
    );
  });

  test("names run no script on the pages that show them", async () => {
    const share = await web.share('<img src=x onerror=alert(1)>".txt', "x");
    const html = await (await fetch(share)).text();
    expect(html).not.toContain("<img src=x");
  });
});

describe("writes from other sites are refused", () => {
  test.each([
    ["another site by Sec-Fetch-Site", { "sec-fetch-site": "cross-site" }, 403],
    ["a sibling site by Sec-Fetch-Site", { "sec-fetch-site": "same-site" }, 403],
    ["another site by Origin", { origin: "https://evil.test" }, 403],
    ["a sandboxed page", { origin: "null" }, 403],
    ["another port by Origin", { origin: "http://127.0.0.1:1" }, 403],
    ["this page", { "sec-fetch-site": "same-origin" }, 201],
    ["a typed address", { "sec-fetch-site": "none" }, 201],
    ["curl, which says neither", {}, 201],
  ])("%s", async (_, headers, status) => {
    const link = await web.link();
    const response = await fetch(`${link}/a.txt`, {
      method: "PUT",
      body: "x",
      headers: new Headers(headers),
    });
    expect(response.status).toBe(status);
    expect((await web.files.inspect(idOf(link))).state).toBe(status === 201 ? "used" : "open");
  });

  test("an Origin that is this site passes", async () => {
    const response = await fetch(`${await web.link()}/a.txt`, {
      method: "PUT",
      body: "x",
      headers: { origin: web.url },
    });
    expect(response.status).toBe(201);
  });
});

describe("X-Forwarded-For", () => {
  const rates = { requestsPerMinute: 3 };
  const askFrom = async (one: TestWeb, address: string) =>
    (await fetch(`${one.url}/`, { headers: { "x-forwarded-for": address } })).status;

  test("of a peer that is no trusted proxy wins no new budget", async () => {
    await using one = await openTestWeb({ rates });
    for (let i = 1; i <= 3; i += 1) expect(await askFrom(one, `203.0.113.${i}`)).toBe(200);
    expect(await askFrom(one, "203.0.113.9")).toBe(429);
    expect(one.log().split("web.trusted_proxies")).toHaveLength(2);
  });

  test("of a trusted proxy separates its clients", async () => {
    await using one = await openTestWeb({ rates, config: { web: { trusted_proxies: ["127.0.0.1"] } } });
    for (let i = 0; i < 3; i += 1) await askFrom(one, "203.0.113.1");
    expect(await askFrom(one, "203.0.113.1")).toBe(429);
    expect(await askFrom(one, "203.0.113.2")).toBe(200);
  });
});

describe("limits", () => {
  test("a client over its rate gets 429 with when to come back; the process stays visible", async () => {
    await using one = await openTestWeb({ rates: { requestsPerMinute: 1 } });
    await fetch(one.url);
    const refused = await fetch(one.url);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await refused.json()).hint).toMatch(/Try again in \d+ s/);
    expect((await fetch(`${one.url}/live`)).status).toBe(200);
  });

  test("who guesses links is shown none, not even those that exist", async () => {
    await using one = await openTestWeb({ rates: { guessesPerMinute: 3 } });
    const link = await one.link();
    for (let i = 0; i < 3; i += 1) await fetch(`${one.url}/f/${"A".repeat(21)}${i}`);
    expect((await fetch(link)).status).toBe(429);
  });
});

test("capabilities are in no log line, no span, no Referer", async () => {
  await using otlp = await startOtlp();
  await using one = await openTestWeb({ config: { telemetry: { otlp_endpoint: otlp.url } } });
  const link = await one.link();
  const share = (await (await fetch(`${link}/secret-name.txt`, { method: "PUT", body: "x" })).text()).trim();
  const unknown = "Zz9".repeat(8);
  for (const url of [
    link,
    share,
    `${share}/download`,
    `${one.url}/f/${unknown}`,
    `${one.url}/u/${unknown}`,
  ]) {
    const response = await fetch(url);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    await response.text();
  }
  await otlp.waitFor(
    ({ name, attributes }) => name === "GET /u/:ticket" && attributes["http.response.status_code"] === 404,
  );
  const seen = one.log() + JSON.stringify(otlp.spans());
  expect(seen).toContain("/f/:id/download");
  for (const secret of [idOf(link), idOf(share), unknown]) expect(seen).not.toContain(secret);
});

test("a verb that no route knows makes no name of its own", async () => {
  await using one = await openTestWeb();
  expect((await requestRaw(one.port, "PROPFIND / HTTP/1.1")).status).toBe(405);
  const metrics = await (await fetch(`${one.url}/metrics`)).text();
  expect(metrics).toContain('method="_OTHER"');
  expect(metrics).not.toContain("PROPFIND");
});

describe("every page", () => {
  test("forbids inline script and foreign frames, and keeps itself to itself", async () => {
    for (const path of ["/", pathOf(await web.link()), pathOf(await web.share("a.txt", "x")), "/nothing"]) {
      const { headers } = await fetch(`${web.url}${path}`, { headers: { accept: "text/html" } });
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("set-cookie")).toBeNull();
    }
  });

  test("promises https only where the public address is https", async () => {
    expect((await fetch(web.url)).headers.get("strict-transport-security")).toBeNull();
  });
});

test("a link preview neither uses an upload link nor counts as a download", async () => {
  const preview = async (url: string) => {
    const headers = { "user-agent": "Discordbot/2.0" };
    for (let i = 0; i < 5; i += 1) await fetch(url, { headers });
    await fetch(url, { method: "HEAD", headers });
  };
  const downloads = async () => {
    const metrics = await (await fetch(`${web.url}/metrics`)).text();
    return Number(/^wisbot_downloads_total\{[^}]*outcome="ok"[^}]*\} (\d+)/m.exec(metrics)?.[1] ?? 0);
  };
  const link = await web.link();
  await preview(link);
  expect((await web.files.inspect(idOf(link))).state).toBe("open");

  const share = await web.share("film.txt", "x");
  const before = await downloads();
  await preview(share);
  await fetch(`${share}/download`, { method: "HEAD" });
  expect(await downloads()).toBe(before);
  await (await fetch(`${share}/download`)).text();
  expect(await downloads()).toBe(before + 1);
});

test("what is finished can't be changed by its link", async () => {
  const link = await web.link();
  const share = (await (await fetch(`${link}/a.txt`, { method: "PUT", body: "first" })).text()).trim();
  await fetch(`${link}/a.txt`, { method: "PUT", body: "changed" });
  for (const method of ["PUT", "PATCH", "POST", "DELETE"]) await fetch(`${share}/download`, { method });
  expect(await (await fetch(`${share}/download`)).text()).toBe("first");
});
