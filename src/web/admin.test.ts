import { describe, expect, test } from "bun:test";
import { remember } from "../testing/inference-history.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { startOtlp } from "../testing/otlp.ts";

const ada = "100000000000000001";
const bob = "100000000000000002";
const here = "900000000000000001";

const asPage = { accept: "text/html" };
const linkOf = async (web: TestWeb) => `${web.url}/admin/enter/${(await web.admins.invite()).key}`;
const press = (link: string, headers: Record<string, string> = {}) =>
  fetch(link, { method: "POST", redirect: "manual", headers });
const cookieOf = (response: Response) => response.headers.get("set-cookie")?.split(";")[0] ?? "";

/** Asks as somebody who has signed in. */
async function signIn(web: TestWeb) {
  const cookie = cookieOf(await press(await linkOf(web)));
  return (path: string, init: RequestInit = {}) =>
    fetch(`${web.url}${path}`, {
      redirect: "manual",
      ...init,
      headers: { ...asPage, cookie, ...init.headers },
    });
}

describe("signing in", () => {
  test("a link shows a button, as often as it is opened, and the button works once", async () => {
    await using web = await openTestWeb();
    const link = await linkOf(web);
    for (const method of ["GET", "HEAD", "GET"]) {
      const opened = await fetch(link, { method, headers: { "user-agent": "Discordbot/2.0" } });
      expect([method, opened.status, opened.headers.get("set-cookie")]).toEqual([method, 200, null]);
    }
    const entered = await press(link);
    expect([entered.status, entered.headers.get("location")]).toEqual([303, "/admin/history"]);
    for (const again of [await press(link), await fetch(link)]) {
      expect(again.status).toBe(410);
      expect(await again.json()).toMatchObject({
        type: "urn:wisbot:problem:admin.link_spent",
        hint: expect.stringContaining("wisbot admin link"),
      });
    }
  });

  test("a link whose time is up says what to do", async () => {
    let now = Date.now();
    await using web = await openTestWeb({ now: () => now });
    const link = await linkOf(web);
    now += 10 * 60_000;
    for (const late of [await fetch(link, { headers: asPage }), await press(link, asPage)]) {
      expect(late.status).toBe(410);
      expect(await late.text()).toContain("Run wisbot admin link where WisBot runs");
    }
  });

  test("who guesses links is shown none, not even those that exist", async () => {
    await using web = await openTestWeb({ rates: { guessesPerMinute: 3 } });
    const link = await linkOf(web);
    for (let i = 0; i < 3; i += 1) {
      expect((await press(`${web.url}/admin/enter/${"A".repeat(21)}${i}`)).status).toBe(404);
    }
    expect((await press(link)).status).toBe(429);
  });

  test.each([
    ["http://wis.test", false],
    ["https://wis.test", true],
  ])(
    "the cookie goes back to the admin's pages alone, from no other site, and to no script: %s",
    async (publicUrl, secure) => {
      await using web = await openTestWeb({ publicUrl });
      const [value = "", ...attributes] = (
        (await press(await linkOf(web))).headers.get("set-cookie") ?? ""
      ).split("; ");
      expect(value).toMatch(/^wis-admin-[0-9a-z-]+=[A-Za-z0-9_-]{22}$/);
      const wanted = ["HttpOnly", "Max-Age=43200", "Path=/admin", "SameSite=Strict"];
      expect(attributes.toSorted()).toEqual(secure ? [...wanted, "Secure"].toSorted() : wanted);
    },
  );

  test("after 12 hours it has to be done again", async () => {
    let now = Date.now();
    await using web = await openTestWeb({ now: () => now });
    const ask = await signIn(web);
    expect((await ask("/admin/history")).status).toBe(200);
    now += 12 * 60 * 60_000;
    expect((await ask("/admin/history")).status).toBe(401);
  });

  test("signing in again ends the session that this browser had", async () => {
    await using web = await openTestWeb();
    const cookie = cookieOf(await press(await linkOf(web)));
    const second = cookieOf(await press(await linkOf(web), { cookie }));
    const statusWith = async (cookie: string) =>
      (await fetch(`${web.url}/admin/history`, { headers: { ...asPage, cookie } })).status;
    expect([await statusWith(cookie), await statusWith(second)]).toEqual([401, 200]);
  });

  test("signing out ends this session and no other", async () => {
    await using web = await openTestWeb();
    const [ask, other] = [await signIn(web), await signIn(web)];
    const left = await ask("/admin/sign-out", { method: "POST" });
    expect([left.status, left.headers.get("location")]).toEqual([303, "/"]);
    expect(left.headers.get("set-cookie")).toContain("wis-admin-test=; Max-Age=0; Path=/admin");
    expect((await ask("/admin/history")).status).toBe(401);
    expect((await other("/admin/history")).status).toBe(200);
  });
});

test("nothing below /admin is shown without a session, whatever else is shown", async () => {
  await using web = await openTestWeb({ config: { telemetry: { metrics_token: "m".repeat(32) } } });
  const { key } = await web.admins.invite();
  const shown = [
    {},
    { authorization: `Bearer ${"m".repeat(32)}` },
    { cookie: `wis-admin-test=${key}` },
    { cookie: "wis-admin-test=" },
  ];
  for (const headers of shown) {
    for (const path of ["/admin", "/admin/", "/admin/history", "/admin/history?user=1", "/admin/nothing"]) {
      const refused = await fetch(`${web.url}${path}`, { redirect: "manual", headers: new Headers(headers) });
      expect([path, refused.status]).toEqual([path, 401]);
      expect(await refused.json()).toMatchObject({
        type: "urn:wisbot:problem:admin.sign_in",
        hint: expect.stringContaining("wisbot admin link"),
      });
    }
  }
  expect((await fetch(`${web.url}/admin/sign-out`, { method: "POST" })).status).toBe(401);
});

test("a page of another site can neither sign anybody in nor out", async () => {
  await using web = await openTestWeb();
  const link = await linkOf(web);
  const ask = await signIn(web);
  const elsewhere: Record<string, string>[] = [
    { origin: "https://evil.test" },
    { "sec-fetch-site": "cross-site" },
  ];
  for (const headers of elsewhere) {
    expect((await press(link, headers)).status).toBe(403);
    expect((await ask("/admin/sign-out", { method: "POST", headers })).status).toBe(403);
  }
  expect((await ask("/admin/history")).status).toBe(200);
  expect((await press(link)).status).toBe(303);
});

test("the keys of link and session are in no log line, span, metric or Referer, and on no page", async () => {
  await using otlp = await startOtlp();
  await using web = await openTestWeb({ config: { telemetry: { otlp_endpoint: otlp.url } } });
  const { key } = await web.admins.invite();
  const unknown = "Zz9".repeat(7);
  const link = `${web.url}/admin/enter/${key}`;
  const pages = [await fetch(link, { headers: asPage })];
  const session = cookieOf(await press(link));
  pages.push(
    await press(link, asPage),
    await fetch(`${web.url}/admin/enter/${unknown}`, { headers: asPage }),
    await fetch(`${web.url}/admin/history`, { headers: { ...asPage, cookie: session } }),
    await fetch(`${web.url}/admin/history?user=1`, { headers: { cookie: session } }),
  );
  let seen = "";
  for (const page of pages) {
    // They tell their own site's name to itself, and never the path: see headers.ts.
    expect(["no-referrer", "strict-origin"]).toContain(page.headers.get("referrer-policy") ?? "");
    expect(page.headers.get("cache-control")).toBe("no-store");
    seen += await page.text();
  }
  await otlp.waitFor(
    ({ name, attributes }) =>
      name === "GET /admin/history" && attributes["http.response.status_code"] === 400,
  );
  seen += web.log() + JSON.stringify(otlp.spans()) + (await (await fetch(`${web.url}/metrics`)).text());
  expect(seen).toContain("/admin/enter/:key");
  expect(seen).toContain("An admin signed in");
  const [, secret = ""] = session.split("=");
  expect(secret).not.toBe("");
  // Not even their beginnings, by which other capabilities are told apart.
  for (const one of [key, unknown, secret]) expect(seen).not.toContain(one.slice(0, 8));
});

describe("the history", () => {
  test("has all that is known of an attempt", async () => {
    await using web = await openTestWeb({ config: { llm: { keep_content: true } } });
    await remember(
      web.store,
      {
        userId: ada,
        guildId: here,
        channelId: "800000000000000001",
        createdAt: Date.UTC(2026, 0, 2, 12, 30, 5),
        queueMs: 1_500,
        traceId: "0123456789abcdef0123456789abcdef",
        question: "Why?",
      },
      { outcome: "llm.timeout", answer: "Becau", vote: -1 },
    );
    const text = textOf(await (await (await signIn(web))("/admin/history")).text());
    for (const said of [
      "2026-01-02 12:30:05",
      ada,
      `server ${here}`,
      "channel 800000000000000001",
      "llama3.2 on local",
      "Tokens in 1,200",
      "Tokens out 45",
      "Wait 1.5 s",
      "First token 0.3 s",
      "Duration 4.0 s",
      "✕ took too long 👎 disliked llm.timeout",
      "0123456789abcdef0123456789abcdef",
      "Question Why? Answer Becau",
    ]) {
      expect(text).toContain(said);
    }
  });

  test("has no answer where none was given", async () => {
    await using web = await openTestWeb();
    const ask = await signIn(web);
    await remember(web.store, { question: "Why?" }, { answer: "", outcome: "llm.host_busy" });
    const html = await (await ask("/admin/history")).text();
    expect(html).toContain("<dt>Question</dt>");
    expect(html).not.toContain("<dt>Answer</dt>");
  });

  test("cuts what is long, and says where all of it is", async () => {
    await using web = await openTestWeb();
    const ask = await signIn(web);
    await remember(web.store, { question: "Why?" }, { answer: "x".repeat(300_000) });
    const html = await (await ask("/admin/history")).text();
    expect(html).toContain("The first 4,000 characters; <code>wisbot llm history --json</code>");
    expect(html.length).toBeLessThan(20_000);
  });

  test("says so where questions and answers are not kept, and that nothing was asked", async () => {
    await using web = await openTestWeb();
    const ask = await signIn(web);
    expect(await (await ask("/admin/history")).text()).toContain("Nothing was asked yet, or it is older");
    await remember(web.store);
    const html = await (await ask("/admin/history")).text();
    expect(html).toContain("llm.keep_content is off");
    expect(html).not.toContain("<details");
  });

  test("is of a member, of a server, or of one in the other, and a page leads to the next with the same filter", async () => {
    await using web = await openTestWeb();
    for (let at = 0; at < 120; at += 1) {
      const userId = at % 2 ? bob : ada;
      // All in one millisecond: pages must lose none of them.
      await remember(web.store, {
        userId,
        guildId: at < 104 ? here : null,
        createdAt: 1,
        traceId: `trace${at}.`,
      });
    }
    const ask = await signIn(web);
    const pages = async (path: string) => {
      const traces: string[][] = [];
      for (let next: string | undefined = path; next; ) {
        const html: string = await (await ask(next)).text();
        traces.push([...html.matchAll(/trace(\d+)\./g)].map(([, number = ""]) => number));
        next = /href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
      }
      return traces;
    };
    const all = await pages("/admin/history");
    expect(all.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(all.flat()).toEqual(Array.from({ length: 120 }, (_, at) => String(119 - at)));
    expect((await pages(`/admin/history?user=${ada}`)).map(({ length }) => length)).toEqual([50, 10]);
    expect((await pages(`/admin/history?server=${here}`)).map(({ length }) => length)).toEqual([50, 50, 4]);
    expect((await pages(`/admin/history?user=${bob}&server=${here}`)).flat()).toHaveLength(52);
  });

  test.each(["user=ada", "server=1", "user=%27%3E%3Cb%3E", "before=yesterday"])(
    "what is no id and no page is refused with a sentence and the form: %s",
    async (query) => {
      await using web = await openTestWeb();
      await remember(web.store);
      const ask = await signIn(web);
      const refused = await ask(`/admin/history?${query}`);
      expect(refused.status).toBe(400);
      const html = await refused.text();
      expect(html).toContain("That is no ");
      expect(html).toContain('name="user"');
      expect(html).not.toContain("<b>");
      expect(html).not.toContain("ffffffff");
      const forScripts = await ask(`/admin/history?${query}`, { headers: { accept: "*/*" } });
      expect(await forScripts.json()).toMatchObject({ status: 400, type: "urn:wisbot:problem:bad_request" });
    },
  );

  test("shows what members and models wrote as text, whatever it is", async () => {
    await using web = await openTestWeb({ config: { llm: { keep_content: true } } });
    const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`;
    await remember(web.store, { model: evil, host: evil, question: evil }, { answer: evil, outcome: evil });
    const html = await (await (await signIn(web))("/admin/history")).text();
    expect(html).not.toMatch(/<script>|<img src=x|onerror=alert\(1\)>/);
    expect(html.split("&lt;script&gt;alert(1)")).toHaveLength(6);
  });

  test("stands below how the model servers do, and which models are liked", async () => {
    const hosts = [
      { name: "gpu", state: "ok", detail: "2 models, llama3.2 loaded", active: 2, slots: 2 } as const,
      { name: "attic", state: "resting", detail: "It did not answer.", active: 0, slots: 1 } as const,
    ];
    await using web = await openTestWeb({ status: { hosts, waiting: 3, active: 2 } });
    await remember(web.store, { model: "qwen3", guildId: here }, { vote: -1 });
    await remember(web.store, { model: "llama3.2" }, { vote: 1 });
    const ask = await signIn(web);
    const text = textOf(await (await ask("/admin/history")).text());
    expect(text).toContain("gpu Working 2 of 2 slots in use. 2 models, llama3.2 loaded");
    expect(text).toContain("attic Resting 0 of 1 slot in use. It did not answer.");
    expect(text).toContain("2 answers being written, 3 waiting.");
    expect(text).toContain("llama3.2 1 0 1 qwen3 0 1 1");
    const there = textOf(await (await ask(`/admin/history?server=${here}`)).text());
    expect(there).toContain("in that server");
    expect(there).not.toContain("llama3.2 1 0 1");
  });
});

/** What a page says, without its tags. */
const textOf = (html: string) => html.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");
