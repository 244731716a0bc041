import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { renderSVG } from "uqr";
import { elementsOf } from "../testing/markup.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { lastOf } from "../testing/tus-client.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const DISCORD = { "user-agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)" };
const BROWSER = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
const OTHER = { "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15" };
const HOUR = 3_600_000;
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb({ rates: { requestsPerMinute: 100_000, passwordsPerClient: 1_000 } });
});
afterAll(() => web?.[Symbol.asyncDispose]());

type Named = [name: string, body: string | Uint8Array<ArrayBuffer>];

/** A share with these settings, of one file or many. Gives the address of its page. */
async function share(settings: object, files: Named[] = [["a.txt", "hello"]], one = web, owner?: string) {
  const link = await one.link(owner);
  const body = JSON.stringify({ files: files.length, ...settings });
  const settled = await fetch(`${link}/settings`, { method: "POST", body });
  if (settled.status !== 204) throw new Error(await settled.text());
  let url = "";
  for (const [name, bytes] of files) {
    const sent = await fetch(`${link}/${encodeURIComponent(name)}`, { method: "PUT", body: bytes });
    url = sent.headers.get("location") ?? "";
  }
  return url;
}

const type = (url: string, password: string, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    redirect: "manual",
    headers: { ...HTML, ...headers },
    body: new URLSearchParams({ password }),
  });
const cookieOf = (response: Response) => response.headers.get("set-cookie")?.split(";")[0] ?? "";
const get = (url: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(url, { method, headers, redirect: "manual" });
const pageOf = async (url: string, headers: Record<string, string> = {}) =>
  await (await get(url, { ...HTML, ...headers })).text();
const file = (url: string, one = web) => one.files.get(lastOf(url));
const statusOf = async (url: string, headers: Record<string, string> = {}) => {
  const response = await get(url, headers);
  await response.body?.cancel();
  return response.status;
};

/** What a link preview reads: `property` or `name` to `content`. */
function cardOf(html: string): Map<string, string> {
  const card = new Map<string, string>();
  for (const { tag, attributes } of elementsOf(html)) {
    const said = new Map(attributes);
    const name = said.get("property") ?? said.get("name");
    if (tag === "meta" && name) card.set(name, said.get("content") ?? "");
  }
  return card;
}

describe("a password", () => {
  test("is asked for by the page, which tells nothing of what is behind it", async () => {
    const url = await share({ password: "sesame", title: "Secret title", note: "Secret note" }, [
      ["secret-name.png", PNG],
    ]);
    const page = await get(url, HTML);
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain('type="password"');
    for (const secret of ["Secret", "secret", "image/png", (await file(url)).sha256]) {
      expect(html).not.toContain(secret);
    }
    const card = cardOf(html);
    expect([card.get("og:title"), card.get("og:image")]).toEqual(["A share with a password", undefined]);
  });

  test("keeps back the bytes, the preview and the page from whoever has not typed it", async () => {
    const url = await share({ password: "sesame" }, [["a.png", PNG]]);
    for (const address of [url, `${url}/download`, `${url}/view`]) {
      const refused = await get(address);
      expect([address, refused.status]).toEqual([address, 401]);
      expect(refused.headers.get("www-authenticate")).toStartWith("Basic");
      expect(await refused.json()).toMatchObject({ type: "urn:wisbot:problem:password.needed" });
    }
    expect((await get(`${url}/download`, {}, "HEAD")).status).toBe(401);
    expect(await file(url)).toMatchObject({ downloads: 0 });
  });

  test("that is wrong is refused with a sentence, and one that is right opens everything", async () => {
    const url = await share({ password: "open sesame ✓" }, [["a.png", PNG]]);
    for (const wrong of ["", "sesame", "open sesame", "OPEN SESAME ✓", "x".repeat(5_000)]) {
      const refused = await type(url, wrong);
      expect([refused.status, refused.headers.get("set-cookie")]).toEqual([403, null]);
      expect(await refused.text()).toContain("This is not the password.");
    }
    const opened = await type(url, "open sesame ✓");
    expect([opened.status, opened.headers.get("location")]).toEqual([303, new URL(url).pathname]);
    const said = opened.headers.get("set-cookie") ?? "";
    expect(said).toMatch(/; Path=\/f\/; HttpOnly; SameSite=Lax$/);
    const cookie = cookieOf(opened);
    expect(await pageOf(url, { cookie })).toContain("a.png");
    expect(await statusOf(`${url}/view`, { cookie })).toBe(200);
    const got = await get(`${url}/download`, { cookie });
    expect(Buffer.from(await got.bytes())).toEqual(PNG);
  });

  test("opens its own share and no other, whatever its cookie is called", async () => {
    const [mine, other] = [await share({ password: "sesame" }), await share({ password: "sesame" })];
    const cookie = cookieOf(await type(mine, "sesame"));
    const nameThere = cookieOf(await type(other, "sesame")).split("=")[0];
    const renamed = `${nameThere}=${cookie.slice(cookie.indexOf("=") + 1)}`;
    expect(await statusOf(`${other}/download`, { cookie })).toBe(401);
    expect(await statusOf(`${other}/download`, { cookie: renamed })).toBe(401);
    expect(await statusOf(`${mine}/download`, { cookie })).toBe(200);
  });

  test("can't be gone round with a pass that is forged, and has to be typed again after twelve hours", async () => {
    let now = Date.now();
    await using one = await openTestWeb({ now: () => now, config: { files: { expire_after: "30d" } } });
    const url = await share({ password: "sesame" }, undefined, one);
    const cookie = cookieOf(await type(url, "sesame"));
    const [name, pass = ""] = cookie.split("=");
    const [until = "", signature = ""] = pass.split(".");
    const later = Number(until) + 24 * HOUR;
    const forged = [
      `${later}.${signature}`,
      `${until}.${signature.slice(0, -1)}`,
      `${until}.${"A".repeat(signature.length)}`,
      `${until}.`,
      `Infinity.${signature}`,
      `.${signature}`,
      until,
      "",
    ];
    for (const value of forged) {
      expect([value, await statusOf(`${url}/download`, { cookie: `${name}=${value}` })]).toEqual([
        value,
        401,
      ]);
    }
    now += 12 * HOUR - 1;
    expect(await statusOf(`${url}/download`, { cookie })).toBe(200);
    now += 1;
    expect(await statusOf(`${url}/download`, { cookie })).toBe(401);
  });

  test("that one client guesses at ten times is refused to it, even when it is right, and to nobody else", async () => {
    await using one = await openTestWeb({ config: { web: { trusted_proxies: ["127.0.0.1"] } } });
    const url = await share({ password: "sesame" }, undefined, one);
    const guesser = { "x-forwarded-for": "203.0.113.1" };
    for (let i = 0; i < 10; i += 1) expect((await type(url, `guess ${i}`, guesser)).status).toBe(403);
    for (const password of ["another", "sesame"]) {
      const refused = await type(url, password, guesser);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    const basic = { ...guesser, authorization: `Basic ${btoa(":sesame")}` };
    expect(await statusOf(`${url}/download`, basic)).toBe(429);
    expect((await type(url, "sesame", { "x-forwarded-for": "203.0.113.2" })).status).toBe(303);
  });

  test("that many clients guess at is closed to all of them, until their time is over", async () => {
    await using one = await openTestWeb({
      config: { web: { trusted_proxies: ["127.0.0.1"] } },
      rates: { passwordsPerShare: 3 },
    });
    const url = await share({ password: "sesame" }, undefined, one);
    const from = (at: number) => ({ "x-forwarded-for": `203.0.113.${at}` });
    for (let at = 1; at <= 3; at += 1) expect((await type(url, "guess", from(at))).status).toBe(403);
    expect((await type(url, "sesame", from(9))).status).toBe(429);
  });

  test("of a bundle is that of every file in it", async () => {
    const url = await share({ password: "sesame" }, [
      ["a.png", PNG],
      ["b.txt", "hello"],
    ]);
    const members = await web.files.members(await file(url));
    expect(members).toHaveLength(2);
    const cookie = cookieOf(await type(url, "sesame"));
    for (const member of members) {
      expect(await pageOf(member.url)).not.toContain(member.name);
      expect(await statusOf(`${member.url}/download`)).toBe(401);
      expect(await statusOf(`${member.url}/download`, { cookie })).toBe(200);
    }
    const [first] = members;
    if (!first) throw new Error("no member");
    // Typed at a file's own door, it opens the bundle too.
    const there = cookieOf(await type(first.url, "sesame"));
    expect(await statusOf(`${url}/download`, { cookie: there })).toBe(200);
    expect(await statusOf(`${first.url}/view`)).toBe(401);
  });

  test("is in the owner's audit when it was wrong, and in no log", async () => {
    await using one = await openTestWeb();
    const url = await share({ password: "the-right-one" }, undefined, one, "1");
    await type(url, "the-wrong-one");
    await type(url, "the-right-one");
    const audit = await one.files.audit({ ownerId: "1", limit: 10 });
    expect(audit.map(({ action }) => action)).toEqual(["refused", "uploaded"]);
    for (const secret of ["the-right-one", "the-wrong-one"]) expect(one.log()).not.toContain(secret);
  });

  test("may not come from a page of another site", async () => {
    const url = await share({ password: "sesame" });
    expect((await type(url, "sesame", { origin: "https://evil.test" })).status).toBe(403);
  });
});

describe("a one-time link", () => {
  const bytes = randomBytes(100_000);
  const once = (one?: TestWeb, owner?: string) =>
    share({ max_downloads: 1 }, [["film.mp4", bytes]], one, owner);

  test("previewed by Discord, on its page and on its download, is still there for a person", async () => {
    const url = await once();
    for (let i = 0; i < 3; i += 1) {
      expect(await statusOf(url, { ...HTML, ...DISCORD })).toBe(200);
      const sent = await get(`${url}/download`, DISCORD);
      expect([sent.status, sent.headers.get("location")]).toEqual([302, new URL(url).pathname]);
      expect((await get(`${url}/download`, DISCORD, "HEAD")).status).toBe(302);
    }
    expect(await file(url)).toMatchObject({ downloads: 0 });
    const got = await get(`${url}/download`, BROWSER);
    expect(Buffer.from(await got.bytes())).toEqual(bytes);
    expect(await file(url)).toMatchObject({ downloads: 1 });
  });

  test("survives a cut: whoever began goes on, in as many parts as it takes", async () => {
    const url = await once();
    const parts: Uint8Array[] = [];
    for (const range of ["bytes=0-39999", "bytes=40000-40000", "bytes=40001-"]) {
      const part = await get(`${url}/download`, { ...BROWSER, range });
      expect(part.status).toBe(206);
      parts.push(await part.bytes());
    }
    expect(Buffer.concat(parts)).toEqual(bytes);
    expect(await file(url)).toMatchObject({ downloads: 1 });
    expect(await pageOf(url, BROWSER)).toContain("as often as its sender allows");
  });

  test("is spent for a second person, who is told so, and for the preview of that one's chat", async () => {
    await using one = await openTestWeb();
    const url = await once(one, "1");
    await (await get(`${url}/download`, BROWSER)).bytes();
    const refused = await get(`${url}/download`, OTHER);
    expect(refused.status).toBe(410);
    expect(await refused.json()).toMatchObject({ type: "urn:wisbot:problem:file.spent" });
    expect((await get(`${url}/download`, { ...OTHER, range: "bytes=0-0" })).status).toBe(410);
    expect(await statusOf(`${url}/download`, BROWSER)).toBe(200);
    const audit = await one.files.audit({ ownerId: "1", limit: 10 });
    const actions = audit.map(({ action }) => action);
    expect(actions.filter((action) => action === "downloaded")).toHaveLength(1);
    expect(actions).toContain("refused");
  });

  test("is not used up by looking, asking for its size, or what the client has already", async () => {
    const url = await once();
    for (const headers of [HTML, { ...HTML, ...BROWSER }, BROWSER]) await statusOf(url, headers);
    const head = await get(`${url}/download`, BROWSER, "HEAD");
    const etag = head.headers.get("etag") ?? "";
    expect(await statusOf(`${url}/download`, { ...BROWSER, "if-none-match": etag })).toBe(304);
    expect(await statusOf(`${url}/download`, { ...BROWSER, range: "bytes=100000-" })).toBe(416);
    expect(await file(url)).toMatchObject({ downloads: 0 });
  });

  test("asked for by a hundred at once is had by exactly one", async () => {
    const url = await once();
    const ask = async (at: number) => {
      const response = await get(`${url}/download`, {
        "user-agent": BROWSER["user-agent"].replace("140", `${at}`),
      });
      return [response.status, (await response.bytes()).length];
    };
    const answers = await Promise.all(Array.from({ length: 100 }, (_, at) => ask(at)));
    expect(answers.filter(([status]) => status === 200)).toEqual([[200, bytes.length]]);
    expect(answers.filter(([status]) => status === 410)).toHaveLength(99);
    expect(await file(url)).toMatchObject({ downloads: 1 });
  });

  test("has no preview, which would be a second way to have it", async () => {
    const url = await share({ max_downloads: 1 }, [["a.png", PNG]]);
    expect(await statusOf(`${url}/view`)).toBe(404);
    expect(await pageOf(url)).not.toContain("/view");
  });

  test("of a bundle counts once for the bundle and its files together", async () => {
    const url = await share({ max_downloads: 1 }, [
      ["a.txt", "first"],
      ["b.txt", "second"],
    ]);
    const members = await web.files.members(await file(url));
    for (const { url: member } of members) expect(await statusOf(`${member}/download`, BROWSER)).toBe(200);
    expect(await statusOf(`${url}/download`, BROWSER)).toBe(200);
    for (const address of [url, ...members.map(({ url }) => url)]) {
      expect(await statusOf(`${address}/download`, OTHER)).toBe(410);
    }
    expect(await file(url)).toMatchObject({ downloads: 1 });
  });
});

describe("the card that a chat makes of a link", () => {
  test("says title, size, kind, expiry and the sender's note, and shows a picture that anybody may see", async () => {
    const url = await share({ title: "Holiday", note: "at the sea" }, [["beach.png", PNG]]);
    const { expiresAt } = await file(url);
    const card = cardOf(await pageOf(url, DISCORD));
    const until = new Intl.DateTimeFormat("en-GB", {
      dateStyle: "long",
      timeStyle: "short",
      timeZone: "UTC",
    });
    expect(Object.fromEntries(card)).toMatchObject({
      "og:site_name": "WisBot",
      "og:title": "Holiday",
      "og:description": `${PNG.length} B · image/png · until ${until.format(expiresAt)} UTC · at the sea`,
      "og:url": url,
      "og:image": `${url}/view`,
      "twitter:card": "summary_large_image",
    });
    const picture = await get(card.get("og:image") ?? "", DISCORD);
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect(await file(url)).toMatchObject({ downloads: 0 });
  });

  test("is titled by the file's name where there is no title, and says how many files a bundle has", async () => {
    expect(cardOf(await pageOf(await share({}))).get("og:title")).toBe("a.txt");
    const bundle = await share({}, [
      ["a.txt", "first"],
      ["b.txt", "second"],
    ]);
    const card = cardOf(await pageOf(bundle));
    expect([card.get("og:title"), card.get("og:image")]).toEqual(["2 files", undefined]);
    expect(card.get("og:description")).toStartWith("11 B · 2 files · until ");
  });

  test.each([
    ["may be had only so often", { max_downloads: 5 }, "a.png", PNG],
    ["has a password", { password: "sesame" }, "a.png", PNG],
    ["is none", {}, "a.txt", "hello"],
    ["could act", {}, "a.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"],
  ])("shows no picture where it %s", async (_, settings, name, bytes) => {
    const url = await share(settings, [[name, bytes]]);
    expect(cardOf(await pageOf(url, DISCORD)).get("og:image")).toBeUndefined();
  });

  test("is not in the audit as somebody who looked", async () => {
    await using one = await openTestWeb();
    const url = await share({}, undefined, one, "1");
    await pageOf(url, DISCORD);
    await pageOf(url, BROWSER);
    const audit = await one.files.audit({ ownerId: "1", limit: 10 });
    expect(audit.filter(({ action }) => action === "viewed")).toHaveLength(1);
  });
});

describe("the share page", () => {
  test("has a QR code of its own address", async () => {
    const url = await share({});
    expect(await pageOf(url)).toContain(renderSVG(url, { border: 2 }));
  });

  test("counts down to the moment when the share goes", async () => {
    const url = await share({ expires: "2d" });
    const { expiresAt } = await file(url);
    const elements = elementsOf(await pageOf(url)).map(({ attributes }) => new Map(attributes));
    const counting = elements.filter((attributes) => attributes.has("data-countdown"));
    expect(counting.map((attributes) => attributes.get("data-countdown"))).toEqual([String(expiresAt)]);
    const times = elements.flatMap((attributes) => attributes.get("datetime") ?? []);
    expect(times).toContain(new Date(expiresAt).toISOString());
  });

  test("says how many downloads are left", async () => {
    const url = await share({ max_downloads: 2 });
    expect(await pageOf(url)).toContain("2 more times");
    await statusOf(`${url}/download`, BROWSER);
    expect(await pageOf(url)).toContain("once more");
  });

  test("of a bundle lists its files, each with a page of its own that leads back", async () => {
    const url = await share({ title: "Both" }, [
      ["a.txt", "first"],
      ["b.txt", "second"],
    ]);
    const html = await pageOf(url);
    for (const member of await web.files.members(await file(url))) {
      expect(html).toContain(`href="/f/${member.id}"`);
      expect(await pageOf(member.url)).toContain(`href="${url}"`);
    }
  });

  test("of a bundle lists its files as people count", async () => {
    const names = ["page 10.txt", "page 9.txt", "Page 1.txt", "page 2.txt"];
    const html = await pageOf(
      await share(
        {},
        names.map((name) => [name, name]),
      ),
    );
    expect(html.match(/page \d+\.txt(?=<\/a>)/gi)).toEqual([
      "Page 1.txt",
      "page 2.txt",
      "page 9.txt",
      "page 10.txt",
    ]);
  });

  test("keeps the line breaks of a note", async () => {
    const html = await pageOf(await share({ note: "first\nsecond\n\nthird" }));
    expect(html).toContain("first\nsecond\n\nthird</p>");
    const style = /href="(\/assets\/style[^"]*)"/.exec(html)?.[1] ?? "";
    const css = await (await fetch(`${web.url}${style}`)).text();
    expect(css).toMatch(/\.sender-note\s*\{[^}]*white-space:\s*pre-(?:line|wrap)/);
  });

  test("holds no element and no attribute that a title, a note or a name brought", async () => {
    const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)></title></p>\n<!-- -->{{7*7}}`;
    const plain = await share({ title: "x", note: "x" }, [["x.bin", "x"]]);
    const attacked = await share({ title: hostile.slice(0, 110), note: hostile }, [[`${hostile}.bin`, "x"]]);
    const shapeOf = async (url: string) =>
      elementsOf(await pageOf(url)).map(({ tag, attributes }) => [tag, ...attributes.map(([name]) => name)]);
    // A QR code has as many paths as it needs, in one element.
    expect(await shapeOf(attacked)).toEqual(await shapeOf(plain));
  });
});
