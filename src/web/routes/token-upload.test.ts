import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { curl } from "../../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../../testing/open-test-web.ts";
import { openRaw } from "../../testing/raw-http.ts";
import { formOf } from "../../testing/sharing.ts";
import { temporaryFile } from "../../testing/temporary-file.ts";
import { lastOf } from "../../testing/tus-client.ts";

const DAY = 86_400_000;
const asker = { guildId: null, roleIds: [] };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const typeOf = async (response: Response) => (await response.json()).type;
const post = (url: string, form: FormData, headers: Record<string, string>) =>
  fetch(url, { method: "POST", body: form, headers });

describe("a token", () => {
  const mint = (ownerId: string) => web.files.mintToken({ ownerId, asker, name: "test" });
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

  test("lets curl -T share a file, with what it is to be in the query", async () => {
    const { secret } = await mint("token-curl");
    await using file = await temporaryFile("big file.iso", new TextEncoder().encode("hello"));
    const query = "title=From%20curl&expires=1d&max_downloads=1";
    const sent = await curl([
      "-T",
      file.path,
      "-H",
      `Authorization: Bearer ${secret}`,
      "-H",
      "wisbot-password: sesame",
      `${web.url}/api/files/big%20file.iso?${query}`,
    ]);
    expect([sent.exitCode, sent.status]).toEqual([0, 201]);
    expect(sent.body).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/f\/[\w-]{22}\n$/);
    const shared = await web.files.get(lastOf(sent.body.trim()));
    expect(shared).toMatchObject({
      name: "big file.iso",
      title: "From curl",
      maxDownloads: 1,
      ownerId: "token-curl",
    });
    expect(shared.passwordHash).not.toBeNull();
    expect(shared.expiresAt - shared.readyAt).toBe(DAY);
  });

  test("lets ShareX and its kin send a form, and answers JSON with every address that they need", async () => {
    const { secret } = await mint("token-form");
    const sent = await post(
      `${web.url}/api/files`,
      formOf({ title: "Shot" }, [["shot.png", "hello"]]),
      bearer(secret),
    );
    expect(sent.status).toBe(201);
    const url = sent.headers.get("location") ?? "";
    expect(await sent.json()).toEqual({
      id: lastOf(url),
      name: "shot.png",
      size: 5,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      url,
      download_url: `${url}/download`,
      expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await web.files.get(lastOf(url))).toMatchObject({ title: "Shot" });
  });

  test("is needed: without one, a wrong one or a revoked one nothing is taken, and it counts as a guess", async () => {
    await using one = await openTestWeb({ rates: { guessesPerMinute: 4 } });
    const { secret, id } = await one.files.mintToken({ ownerId: "1", asker, name: "test" });
    await one.files.revokeToken(id, { ownerId: "1" });
    const send = (headers: Record<string, string>) =>
      fetch(`${one.url}/api/files/a.txt`, { method: "PUT", body: "x", headers });
    for (const headers of [{}, bearer("wis_wrong"), bearer(secret), { authorization: "Basic eDp5" }]) {
      const refused = await send(headers);
      expect([refused.status, await typeOf(refused)]).toEqual([401, "urn:wisbot:problem:token.unknown"]);
      expect(refused.headers.get("www-authenticate")).toStartWith("Bearer");
    }
    const limited = await send(bearer(secret));
    expect([limited.status, Number(limited.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(await one.files.usage("1")).toEqual({ files: 0, bytes: 0 });
    expect(one.log()).not.toContain(secret);
  });

  test("brings its owner's quota and no other's", async () => {
    await using one = await openTestWeb({ config: { files: { max_bytes_per_user: "5B" } } });
    const send = async (ownerId: string) => {
      const { secret } = await one.files.mintToken({ ownerId, asker, name: "test" });
      return (
        await fetch(`${one.url}/api/files/a.txt`, { method: "PUT", body: "hello", headers: bearer(secret) })
      ).status;
    };
    expect([await send("1"), await send("1"), await send("2")]).toEqual([201, 413, 201]);
  });

  test.each([
    ["no file", []],
    [
      "two files",
      [
        ["one.txt", "first"],
        ["two.txt", "second"],
      ],
    ],
  ] as [string, [string, string][]][])(
    "with a form of %s is refused, and keeps nothing",
    async (what, files) => {
      const { secret, ownerId } = await mint(`token of ${what}`);
      expect((await post(`${web.url}/api/files`, formOf({}, files), bearer(secret))).status).toBe(400);
      expect(await web.files.usage(ownerId)).toEqual({ files: 0, bytes: 0 });
    },
  );

  test("takes what a file is to be from headers too, and the query's word before theirs", async () => {
    const { secret } = await mint("token-headers");
    const said = { "wisbot-title": "Header", "wisbot-note": "Hi", "wisbot-max-downloads": "3" };
    const headers = { ...bearer(secret), ...said, "wisbot-expires": "2d" };
    const sent = await fetch(`${web.url}/api/files/a.txt?title=Query`, { method: "PUT", body: "x", headers });
    const shared = await web.files.get(lastOf((await sent.text()).trim()));
    expect(shared).toMatchObject({ title: "Query", note: "Hi", maxDownloads: 3 });
    expect(shared.expiresAt - shared.readyAt).toBe(2 * DAY);
  });

  test("is refused a password in the address, where others read it, and nothing is kept", async () => {
    const { secret, ownerId } = await mint("token-query-password");
    const put = (query: string) =>
      fetch(`${web.url}/api/files/a.txt?${query}`, { method: "PUT", body: "x", headers: bearer(secret) });
    const form = formOf({}, [["a.txt", "x"]]);
    for (const refused of [
      await put("password=sesame"),
      await put("title=x&password="),
      await post(`${web.url}/api/files?password=sesame`, form, bearer(secret)),
    ]) {
      expect(await refused.json()).toMatchObject({
        status: 400,
        type: "urn:wisbot:problem:share.invalid",
        detail: expect.stringContaining("does not belong into an address"),
      });
    }
    expect(await web.files.usage(ownerId)).toEqual({ files: 0, bytes: 0 });
    expect(web.log()).not.toContain("sesame");
  });

  test("may say what a form's file is to be in the form, in the query and in headers", async () => {
    const { secret } = await mint("token-all-ways");
    const sent = await post(
      `${web.url}/api/files?note=Query&title=Query`,
      formOf({ title: "Form" }, [["a.txt", "x"]]),
      { ...bearer(secret), "wisbot-max-downloads": "3", "wisbot-note": "Header" },
    );
    const shared = await web.files.get(lastOf(sent.headers.get("location") ?? ""));
    expect(shared).toMatchObject({ title: "Form", note: "Query", maxDownloads: 3 });
  });

  test("is told of a setting that there is not, wherever it stands, and nothing is kept", async () => {
    const { secret, ownerId } = await mint("token-misspelt");
    const url = `${web.url}/api/files`;
    const send = (query: string, headers: Record<string, string> = {}) =>
      fetch(`${url}/a.txt?${query}`, {
        method: "PUT",
        body: "x",
        headers: { ...bearer(secret), ...headers },
      });
    const one: [string, string][] = [["a.txt", "x"]];
    for (const refused of [
      await send("passwort=sesame"),
      await send("files=2"),
      await send("", { "wisbot-passwort": "sesame" }),
      await send("", { "wisbot-max_downloads": "1" }),
      await post(`${url}?expire=1d`, formOf({}, one), bearer(secret)),
      await post(url, formOf({}, one), { ...bearer(secret), "wisbot-expire": "1d" }),
      await post(url, formOf({ passwort: "sesame" }, one), bearer(secret)),
    ]) {
      expect([refused.status, (await refused.json()).detail]).toEqual([
        400,
        expect.stringContaining("no such setting"),
      ]);
    }
    expect(await web.files.usage(ownerId)).toEqual({ files: 0, bytes: 0 });
  });

  test.each([5, 3_000_000])(
    "with a form whose password stands behind its file of %d bytes keeps nothing",
    async (size) => {
      const { secret, ownerId } = await mint(`token-late-${size}`);
      const form = formOf({}, [["a.bin", "x".repeat(size)]]);
      form.append("password", "sesame");
      const refused = await post(`${web.url}/api/files`, form, bearer(secret));
      expect([refused.status, (await refused.json()).hint]).toEqual([
        400,
        "Put the settings before the file.",
      ]);
      expect(await web.files.usage(ownerId)).toEqual({ files: 0, bytes: 0 });
    },
  );

  test("that is wrong takes no place, however long its form would be", async () => {
    await using one = await openTestWeb({ rates: { uploadsAtOncePerClient: 1 } });
    const { secret } = await one.files.mintToken({ ownerId: "1", asker, name: "test" });
    using stranger = await openRaw(one.port);
    await stranger.write(
      "POST /api/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n",
    );
    expect(await stranger.until("token.unknown")).toStartWith("HTTP/1.1 401");
    const sent = await post(`${one.url}/api/files`, formOf({}, [["a.txt", "x"]]), bearer(secret));
    expect(sent.status).toBe(201);
  });

  test("and a header of it in UTF-8 says what was meant", async () => {
    const { secret } = await mint("token-utf8");
    await using file = await temporaryFile("a.txt", new TextEncoder().encode("hello"));
    const said = ["-H", `Authorization: Bearer ${secret}`, "-H", "wisbot-title: Grüße"];
    const sent = await curl(["-T", file.path, ...said, `${web.url}/api/files/`]);
    expect(await web.files.get(lastOf(sent.body.trim()))).toMatchObject({ title: "Grüße" });
  });

  test("with a wish that is wrong keeps nothing", async () => {
    const { secret, ownerId } = await mint("token-wrong");
    const send = (query: string) =>
      fetch(`${web.url}/api/files/a.txt?${query}`, { method: "PUT", body: "x", headers: bearer(secret) });
    for (const query of ["expires=never", "max_downloads=0", "max_downloads=-1"]) {
      expect([query, (await send(query)).status]).toEqual([query, 400]);
    }
    expect(await web.files.usage(ownerId)).toEqual({ files: 0, bytes: 0 });
  });
});
