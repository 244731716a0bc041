import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { codeOf } from "../testing/file-desk.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { startOtlp } from "../testing/otlp.ts";
import { requestRaw } from "../testing/raw-http.ts";
import { tusClient } from "../testing/tus-client.ts";

// Each case is one that bit a peer of wisbot; its name says whom, and where that is written. What concerns uploads is in
// security-uploads.test.ts.

// Hundreds of guesses and requests: how many are let through is a test of its own.
const PLENTY = { requestsPerMinute: 100_000, uploadsPerMinute: 100_000, guessesPerMinute: 100_000 };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb({ rates: PLENTY });
});
afterAll(() => web?.[Symbol.asyncDispose]());

const idOf = (url: string) => url.split("/").at(-1) ?? "";
const pathOf = (url: string) => new URL(url).pathname;

describe("active content is never served inline (CVE-2026-28683 Gokapi: SVG; transfer.sh#500: HTML without a type)", () => {
  test.each([
    ["page.html", "text/html"],
    ["image.svg", "image/svg+xml"],
    ["page.xhtml", "application/xhtml+xml"],
    ["feed.xml", "text/xml"],
    ["paper.pdf", "application/pdf"],
    ["script.js", "text/javascript"],
    ["no-type.html", ""],
    ["innocent.png", "text/html"],
    ["poc", "application/octet-stream"],
    ["page.html ", "text/html"],
    ["image.SVG", "IMAGE/SVG+XML"],
    ["archive.mht", "multipart/related"],
    ["page.png\u202Elmth.html", "text/html"],
  ])("%p sent as %p", async (name, type) => {
    const share = await web.share(name, "<script>alert(1)</script>", type || undefined);
    const { headers } = await fetch(`${share}/download`);
    expect(headers.get("content-type")).toMatch(/^application\/octet-stream|^image\/png/);
    expect(headers.get("content-disposition")).toStartWith("attachment");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");

    const view = await fetch(`${share}/view`);
    const shown = view.status === 404 ? "none" : (view.headers.get("content-type") ?? "");
    expect(shown).toMatch(/^(?:none|image\/png|application\/octet-stream)$/);
    expect(view.headers.get("x-content-type-options")).toBe("nosniff");
    expect(view.headers.get("content-security-policy")).toContain("default-src 'none'");
  });
});

describe("hostile paths never leave the store (CVE-2023-37474 copyparty: reading; CVE-2021-33497 transfer.sh: deleting)", () => {
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
    "/u/..%2f..%2fetc/settings",
    "/u/..%252f..%252fetc/finish",
    "/f/..%2f..%2fwisbot.db/view",
    "/f/%2fetc%2fpasswd/download",
    "/.cpr/%2Fetc%2Fpasswd",
    "/api/uploads/..%2f..%2fwisbot.db",
    "/api/uploads/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
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
        // tus answers OPTIONS for whatever lies below it, without looking.
        const asks = verb === "OPTIONS" && path.startsWith("/api/uploads/");
        expect([path, asks ? status === 204 : status >= 400 && status < 500]).toEqual([path, true]);
        expect(answer).not.toContain("root:");
      }
    },
  );

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

describe("file names inject no headers (GHSA-9cx9-x2gp-9qvh fiber: a name with a line break; CVE-2023-38501 copyparty)", () => {
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

  test("nothing of an address's query comes back, as a header or on a page (CVE-2023-38501 copyparty: k304)", async () => {
    const share = pathOf(await web.share("a.txt", "x"));
    const query =
      "?k304=y%0d%0a%0d%0a%3Cimg+src%3Dcopyparty+onerror%3Dalert(1)%3E&setck=a%3Db%0d%0aSet-Cookie:owned=1";
    for (const path of ["/", share, `${share}/download`, "/nothing", pathOf(await web.link())]) {
      const { answer } = await requestRaw(web.port, `GET ${path}${query} HTTP/1.1\r\nAccept: text/html`);
      expect(answer).not.toMatch(/onerror|owned/);
      expect(answer).not.toMatch(/^set-cookie/im);
    }
  });
});

describe("writes from other sites are refused (CVE-2026-54459 FileRise; save-server 1.0.5, which ShareX sends to)", () => {
  const origins: [string, Record<string, string>, number][] = [
    ["another site by Sec-Fetch-Site", { "sec-fetch-site": "cross-site" }, 403],
    ["a sibling site by Sec-Fetch-Site", { "sec-fetch-site": "same-site" }, 403],
    ["another site by Origin", { origin: "https://evil.test" }, 403],
    ["a sandboxed page", { origin: "null" }, 403],
    ["another port by Origin", { origin: "http://127.0.0.1:1" }, 403],
    ["this page", { "sec-fetch-site": "same-origin" }, 201],
    ["a typed address", { "sec-fetch-site": "none" }, 201],
    ["curl, which says neither", {}, 201],
  ];
  test.each(origins)("%s", async (_, headers, status) => {
    const link = await web.link();
    const response = await fetch(`${link}/a.txt`, { method: "PUT", body: "x", headers });
    expect(response.status).toBe(status);
    expect((await web.files.inspect(idOf(link))).state).toBe(status === 201 ? "used" : "open");
  });

  test("an Origin that is this site passes", async () => {
    const headers = { origin: web.url };
    const response = await fetch(`${await web.link()}/a.txt`, { method: "PUT", body: "x", headers });
    expect(response.status).toBe(201);
  });

  test("whatever writes: settings, finishing, forms, passwords, tokens and every verb of resumable uploads", async () => {
    const link = await web.link();
    const share = await web.share("a.txt", "x");
    const writes = [
      ["POST", link],
      ["POST", `${link}/settings`],
      ["POST", `${link}/finish`],
      ["POST", share],
      ["POST", `${web.url}/api/files`],
      ["PUT", `${web.url}/api/files/a.txt`],
      ["POST", `${web.url}/api/uploads`],
      ["PATCH", `${web.url}/api/uploads/${"A".repeat(22)}`],
      ["DELETE", `${web.url}/api/uploads/${"A".repeat(22)}`],
    ] as const;
    for (const [method, url] of writes) {
      const refused = await fetch(url, { method, headers: { origin: "https://evil.test" }, body: "{}" });
      const { type } = await refused.json();
      expect([method, url, type]).toEqual([method, url, "urn:wisbot:problem:cross_site"]);
    }
  });
});

describe("X-Forwarded-For (CVE-2026-108162 Pingvin Share X: anybody's was believed, and passwords could be guessed)", () => {
  const rates = { requestsPerMinute: 3 };
  const askFrom = async (one: TestWeb, address: string) =>
    (await fetch(`${one.url}/`, { headers: { "x-forwarded-for": address } })).status;

  test("of a peer that is no trusted proxy wins no new budget", async () => {
    await using one = await openTestWeb({ rates });
    for (let i = 1; i <= 3; i += 1) expect(await askFrom(one, `203.0.113.${i}`)).toBe(200);
    expect(await askFrom(one, "203.0.113.9")).toBe(429);
    expect(one.log().split("web.trusted_proxies")).toHaveLength(2);
  });

  test("of a peer that is no trusted proxy wins no more guesses at a password", async () => {
    await using one = await openTestWeb({ rates: { passwordsPerClient: 2 } });
    const link = await one.link();
    await fetch(`${link}/settings`, { method: "POST", body: '{"password": "sesame"}' });
    const share = (await (await fetch(`${link}/a.txt`, { method: "PUT", body: "x" })).text()).trim();
    const guess = async (address: string) => {
      const headers = { "x-forwarded-for": address, authorization: `Basic ${btoa(":guess")}` };
      return (await fetch(`${share}/download`, { headers })).status;
    };
    expect([await guess("203.0.113.1"), await guess("203.0.113.2"), await guess("203.0.113.3")]).toEqual([
      401, 401, 429,
    ]);
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

  test("who guesses links is shown none, not even those that exist (GHSA-crvj-vmf7-xrvr Nextcloud)", async () => {
    await using one = await openTestWeb({ rates: { guessesPerMinute: 3 } });
    const link = await one.link();
    for (let i = 0; i < 3; i += 1) await fetch(`${one.url}/f/${"A".repeat(21)}${i}`);
    expect((await fetch(link)).status).toBe(429);
  });
});

test("capabilities are in no log line, no span, no Referer (CVE-2026-123502 Vikunja: links in the log of requests)", async () => {
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
    // Pages with forms tell their own site's name, and none tells its path: see headers.ts.
    expect(["no-referrer", "strict-origin"]).toContain(response.headers.get("referrer-policy") ?? "");
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

test("a link preview neither uses an upload link nor eats a one-time download (yopass#741, PrivateBin#1185)", async () => {
  const preview = async (url: string) => {
    const headers = { "user-agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)" };
    for (let i = 0; i < 5; i += 1) await fetch(url, { headers });
    await fetch(url, { method: "HEAD", headers });
  };
  const link = await web.link();
  await fetch(`${link}/settings`, { method: "POST", body: '{"max_downloads": 1}' });
  await preview(link);
  expect((await web.files.inspect(idOf(link))).state).toBe("open");
  const share = (await (await fetch(`${link}/film.txt`, { method: "PUT", body: "x" })).text()).trim();
  await preview(share);
  await preview(`${share}/download`);
  expect(await web.files.get(idOf(share))).toMatchObject({ downloads: 0 });
  expect(await (await fetch(`${share}/download`)).text()).toBe("x");
  expect(await web.files.get(idOf(share))).toMatchObject({ downloads: 1 });
});

test("a password holds at every address of a share, not only at its page (CVE-2026-27611 FileBrowser Quantum)", async () => {
  const link = await web.link();
  await fetch(`${link}/settings`, { method: "POST", body: '{"password": "sesame", "files": 2}' });
  for (const name of ["a.png", "b.png"]) await fetch(`${link}/${name}`, { method: "PUT", body: "secret" });
  const { url } = await (await fetch(link, { headers: { accept: "application/json" } })).json();
  const members = await web.files.members(await web.files.get(idOf(url)));
  for (const address of [url, ...members.map((member) => member.url)]) {
    for (const path of ["", "/download", "/view", "/download?password=wrong"]) {
      for (const headers of [{}, { range: "bytes=0-1" }, { "if-none-match": "*" }, { accept: "text/html" }]) {
        const response = await fetch(`${address}${path}`, { headers: new Headers(headers) });
        expect(await response.text()).not.toMatch(/secret|\.png/);
        expect(response.headers.get("etag")).toBeNull();
      }
    }
  }
});

describe("what one member has, no other sees", () => {
  test("neither an upload's page nor a file's tells of others' (CVE-2026-28682 Gokapi: everybody's uploads)", async () => {
    const [mine, theirs] = [await web.link("me"), await web.link("them")];
    const upload = await tusClient(theirs).begin(10, { filename: "their-secret.txt" });
    const share = (
      await (await fetch(`${await web.link("them")}/their-file.txt`, { method: "PUT", body: "x" })).text()
    ).trim();
    for (const accept of ["text/html", "application/json"]) {
      const said = await (await fetch(mine, { headers: { accept } })).text();
      for (const secret of ["their-", idOf(theirs), idOf(upload), idOf(share)])
        expect(said).not.toContain(secret);
    }
    expect(await (await fetch(share)).text()).not.toContain("their-secret");
  });

  test("a link to one file of a bundle is a link to that file (GHSA-pxvw-4w88-6x95 copyparty: its neighbours by name)", async () => {
    const one = await web.share("shared.txt", "shared");
    await web.share("neighbour.txt", "neighbour");
    for (const path of [
      "/neighbour.txt",
      "/../neighbour.txt",
      "/download/neighbour.txt",
      "/download/..%2fneighbour.txt",
    ]) {
      const { status } = await requestRaw(web.port, `GET ${pathOf(one)}${path} HTTP/1.1`);
      expect([path, status]).toEqual([path, 404]);
    }
  });

  test("nothing lists what there is", async () => {
    for (const path of ["/f", "/f/", "/u", "/u/", "/api", "/api/files", "/api/uploads", "/api/uploads/"]) {
      const response = await fetch(`${web.url}${path}`);
      expect([path, [404, 405].includes(response.status)]).toEqual([path, true]);
      await response.body?.cancel();
    }
  });

  test("nobody but its owner takes a file away (CVE-2026-30943 Gokapi)", async () => {
    const share = await web.share("mine.txt", "x");
    const asker = { guildId: null, roleIds: [] };
    const stranger = { id: "stranger", name: "stranger", moderator: false, asker };
    expect(await codeOf(web.files.remove(idOf(share), stranger))).toBe("forbidden");
    expect(await codeOf(web.files.extend(idOf(share), stranger))).toBe("forbidden");
    expect((await fetch(`${share}/download`)).status).toBe(200);
  });
});

test("no id can be worked out from others (CVE-2024-38353 CodiMD: names of uploads)", async () => {
  const asker = { guildId: null, roleIds: [] };
  const ids: string[] = [];
  for (let i = 0; i < 100; i += 1) {
    const { url, fileId } = await web.files.issue({ ownerId: `ids ${i}` });
    const { secret } = await web.files.mintToken({ ownerId: `ids ${i}`, asker, name: "x" });
    const { key } = await web.files.begin(idOf(url), { name: "a.txt", contentType: undefined, length: 1 });
    ids.push(idOf(url), fileId, key, secret.replace("wis_", ""));
  }
  expect(new Set(ids.map((id) => id.slice(0, 11))).size).toBe(ids.length);
  expect(new Set(ids.map((id) => id.slice(-11))).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22,}$/);
  // 64 letters four hundred times: each place takes nearly all of them, and none is fixed.
  for (let place = 0; place < 21; place += 1) {
    expect(new Set(ids.map((id) => id[place])).size).toBeGreaterThan(50);
  }
});
