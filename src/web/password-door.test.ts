import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { curl } from "../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { lastOf } from "../testing/tus-client.ts";
import { rememberRight } from "./known-passwords.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const basic = (password: string) => ({ authorization: `Basic ${btoa(`:${password}`)}` });

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb({ rates: { requestsPerMinute: 100_000 } });
});
afterAll(() => web?.[Symbol.asyncDispose]());

/** The address of a picture with the password "sesame". */
async function locked(one = web, owner?: string): Promise<string> {
  const link = await one.link(owner);
  await fetch(`${link}/settings`, { method: "POST", body: '{"password": "sesame"}' });
  return (await (await fetch(`${link}/a.png`, { method: "PUT", body: "the bytes" })).text()).trim();
}

const ask = (url: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(url, { method, headers, redirect: "manual" });

describe("a password that curl says", () => {
  test("and that is wrong is 401 with how to say another one (RFC 9110, 15.5.2)", async () => {
    const url = await locked();
    for (const path of ["", "/download", "/view"]) {
      const refused = await ask(`${url}${path}`, basic("wrong"));
      expect([path, refused.status]).toEqual([path, 401]);
      expect(refused.headers.get("www-authenticate")).toStartWith("Basic");
      expect((await refused.json()).type).toBe("urn:wisbot:problem:password.wrong");
    }
    const typed = await fetch(url, { method: "POST", body: new URLSearchParams({ password: "wrong" }) });
    expect([typed.status, typed.headers.has("www-authenticate")]).toEqual([401, true]);
  });

  test("and that is right gets the bytes and no cookie", async () => {
    const url = await locked();
    const got = await ask(`${url}/download`, basic("sesame"));
    expect([got.status, await got.text(), got.headers.get("set-cookie")]).toEqual([200, "the bytes", null]);
    const { status } = await curl(["-u", ":sesame", "-r", "0-2", `${url}/download`]);
    expect(status).toBe(206);
  });

  test("is no guess, however many parts of a file it is said for", async () => {
    await using one = await openTestWeb({ rates: { passwordsPerClient: 1 } });
    const url = await locked(one);
    for (let at = 0; at < 50; at += 1) {
      const part = await ask(`${url}/download`, { ...basic("sesame"), range: `bytes=${at % 9}-` });
      expect([part.status, (await part.text()).length]).toEqual([206, 9 - (at % 9)]);
    }
  });
});

describe("a right password is remembered", () => {
  const share = { shareId: "s".repeat(22) };

  /** Opens with "right"; passes are good for what is said. */
  function openDoor() {
    const checked: string[] = [];
    const good = new Set<string>();
    const unlock = rememberRight({
      admits: (_, passes) => passes.some((pass) => good.has(pass)),
      async unlock(file, password) {
        checked.push(`${file.shareId} ${password}`);
        if (password !== "right") throw new WisError("password.wrong", { say: "No." });
        const pass = `${file.shareId} ${checked.length}`;
        good.add(pass);
        return pass;
      },
    });
    return { checked, good, unlock };
  }

  test("of its share alone, and a wrong one never", async () => {
    const file = await web.files.get(lastOf(await locked()));
    const { checked, unlock } = openDoor();
    for (let i = 0; i < 5; i += 1) await unlock({ ...file, ...share }, "right", "me");
    expect(checked).toHaveLength(1);
    await unlock({ ...file, shareId: "t".repeat(22) }, "right", "me");
    expect(checked).toHaveLength(2);
    for (let i = 0; i < 2; i += 1) {
      const refused = unlock({ ...file, ...share }, "wrong", "me");
      expect(await refused.catch(({ code }) => code)).toBe("password.wrong");
    }
    expect(checked).toHaveLength(4);
  });

  test("for as long as its pass is good, and no longer than there is room", async () => {
    const file = await web.files.get(lastOf(await locked()));
    const { checked, good, unlock } = openDoor();
    await unlock({ ...file, ...share }, "right", "me");
    good.clear();
    await unlock({ ...file, ...share }, "right", "me");
    expect(checked).toHaveLength(2);
    for (let at = 0; at < 1_000; at += 1) await unlock({ ...file, shareId: `${at}` }, "right", "me");
    await unlock({ ...file, ...share }, "right", "me");
    expect(checked).toHaveLength(1_003);
  });
});

describe("a browser that comes to a file without the password", () => {
  test("is sent to the page that asks for it, and shows no box of its own", async () => {
    const url = await locked();
    for (const path of ["/download", "/view"]) {
      for (const method of ["GET", "HEAD"]) {
        const sent = await ask(`${url}${path}`, HTML, method);
        expect([sent.status, sent.headers.get("location")]).toEqual([303, new URL(url).pathname]);
        expect(sent.headers.get("www-authenticate")).toBeNull();
      }
    }
    expect(await (await fetch(`${url}/download`, { headers: HTML })).text()).toContain('type="password"');
  });
});

describe("guesses that come all at once", () => {
  const passwords = (count: number) => Array.from({ length: count }, (_, at) => `guess ${at}`);

  test("are no more than guesses that come one by one", async () => {
    await using one = await openTestWeb();
    const url = await locked(one, "1");
    const answers = await Promise.all(passwords(60).map((guess) => ask(`${url}/download`, basic(guess))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(50);
    for (const answer of answers.filter(({ status }) => status === 429)) {
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await ask(`${url}/download`, basic("sesame"))).status).toBe(429);
    // Who guesses is the owner's to see, and who was told to come again guessed nothing.
    const audit = await one.files.audit({ ownerId: "1", limit: 100 });
    expect(audit.filter(({ action }) => action === "refused")).toHaveLength(10);
  });

  test("take nothing from who knows the password, whatever else goes wrong", async () => {
    await using one = await openTestWeb({ rates: { passwordsPerClient: 1_000, passwordsPerShare: 1_000 } });
    const url = await locked(one, "1");
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        fetch(url, {
          method: "POST",
          redirect: "manual",
          body: new URLSearchParams({ password: "sesame" }),
          headers: { "user-agent": `person ${at}` },
        }),
      ),
    );
    const busy = answers.filter(({ status }) => status === 429);
    expect(busy.length).toBeGreaterThan(0);
    for (const answer of busy) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(60 - busy.length);
    const audit = await one.files.audit({ ownerId: "1", limit: 100 });
    expect(audit.filter(({ action }) => action === "refused")).toEqual([]);
  });
});
