import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { curl } from "../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw } from "../testing/raw-http.ts";
import { temporaryFile } from "../testing/temporary-file.ts";
import { lastOf, tusClient } from "../testing/tus-client.ts";
import { until } from "../testing/until.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const JSON_ONLY = { accept: "application/json" };
const UNKNOWN = "A".repeat(22);
const DAY = 86_400_000;
const asker = { guildId: null, roleIds: [] };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const settle = (link: string, settings: object | string) =>
  fetch(`${link}/settings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof settings === "string" ? settings : JSON.stringify(settings),
  });
const put = (link: string, name: string, body: BodyInit) =>
  fetch(`${link}/${encodeURIComponent(name)}`, { method: "PUT", body });
const finish = (link: string) => fetch(`${link}/finish`, { method: "POST" });
const look = async (link: string) => await (await fetch(link, { headers: JSON_ONLY })).json();
const typeOf = async (response: Response) => (await response.json()).type;

/** A form of these fields, and of files as `[name, content]`. */
function formOf(fields: Record<string, string>, files: [name: string, content: string][]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const [name, content] of files) form.append("file", new File([content], name));
  return form;
}
const post = (url: string, form: FormData, headers: Record<string, string> = HTML) =>
  fetch(url, { method: "POST", body: form, headers });

/** The share behind an address of its page. */
const shareAt = (response: Response, { files }: TestWeb = web) =>
  files.get(lastOf(response.headers.get("location") ?? ""));
const namesOf = async (id: string) => {
  const members = await web.files.members(await web.files.get(id));
  return members.map(({ path, name }) => path ?? name);
};

describe("settings", () => {
  test("make the share what its sender says", async () => {
    const link = await web.link();
    const wishes = { title: "Photos", note: "of us", password: "sesame", max_downloads: 3, expires: "2d" };
    expect((await settle(link, { files: 1, ...wishes })).status).toBe(204);
    const file = await shareAt(await put(link, "a.txt", "hello"));
    expect(file).toMatchObject({ title: "Photos", note: "of us", maxDownloads: 3, downloads: 0 });
    expect(file.passwordHash).toStartWith("$argon2id$");
    expect(file.expiresAt - file.readyAt).toBe(2 * DAY);
  });

  test("that leave something out, or empty, leave it as usual", async () => {
    const link = await web.link();
    await settle(link, { title: "", note: null, password: "", expires: "", max_downloads: "" });
    const file = await shareAt(await put(link, "a.txt", "hello"));
    expect(file).toMatchObject({ title: null, note: null, passwordHash: null, maxDownloads: null });
    expect(file.expiresAt - file.readyAt).toBe(7 * DAY);
  });

  test("said again replace those before", async () => {
    const link = await web.link();
    await settle(link, { title: "First", max_downloads: 1 });
    await settle(link, { title: "Second" });
    const file = await shareAt(await put(link, "a.txt", "hello"));
    expect(file).toMatchObject({ title: "Second", maxDownloads: null });
  });

  test("that would keep a file longer than the admin lets anybody are cut to that", async () => {
    await using one = await openTestWeb({ config: { files: { max_expire_after: "10d" } } });
    const link = await one.link();
    expect((await settle(link, { expires: "5000d" })).status).toBe(204);
    const file = await shareAt(await put(link, "a.txt", "hello"), one);
    expect(file.expiresAt - file.readyAt).toBe(10 * DAY);
  });

  test.each([
    ["no JSON", "{title: nope", 400],
    ["nothing", "", 400],
    ["a list", "[1]", 400],
    ["a number", "7", 400],
    ["null", "null", 400],
    ["too much", JSON.stringify({ note: "x".repeat(40_000) }), 400],
    ["no download at all", { max_downloads: 0 }, 400],
    ["a negative number of downloads", { max_downloads: -1 }, 400],
    ["half a download", { max_downloads: 1.5 }, 400],
    ["a number of downloads in words", { max_downloads: "two" }, 400],
    ["no file at all", { files: 0 }, 400],
    ["more files than any bundle has", { files: 2_001 }, 400],
    ["an expiry that is no time", { expires: "tomorrow" }, 400],
    ["an expiry without a unit", { expires: 7 }, 400],
    ["an expiry of nothing", { expires: "0d" }, 400],
    ["a title that is too long", { title: "x".repeat(121) }, 400],
    ["a note that is too long", { note: "x".repeat(2_001) }, 400],
    ["a password that is too long", { password: "x".repeat(1_025) }, 400],
    ["a title that is no text", { title: ["Photos"] }, 400],
    ["a password that is no text", { password: true }, 400],
    ["a setting that there is not", { maxDownloads: 1 }, 400],
  ])("with %s are refused, and change nothing", async (_, settings, status) => {
    const link = await web.link();
    await settle(link, { title: "Before" });
    const refused = await settle(link, settings);
    expect(refused.status).toBe(status);
    const problem = await refused.json();
    expect([problem.detail, problem.hint]).toEqual([expect.any(String), expect.any(String)]);
    expect(await shareAt(await put(link, "a.txt", "hello"))).toMatchObject({
      title: "Before",
      maxDownloads: null,
    });
  });

  test("name the setting that they don't know, and those that there are", async () => {
    const problem = await (await settle(await web.link(), { passwort: "sesame" })).json();
    expect(problem.detail).toContain("passwort");
    expect(problem.hint).toContain("password");
  });

  test("of a link that is unknown or used are refused", async () => {
    expect((await settle(`${web.url}/u/${UNKNOWN}`, { title: "x" })).status).toBe(404);
    const link = await web.link();
    await put(link, "a.txt", "hello");
    expect((await settle(link, { title: "x" })).status).toBe(410);
  });

  test("hide no characters: what would turn the text around is taken out", async () => {
    const link = await web.link();
    await settle(link, { title: "in\u202Evoice\u0000\u0007" });
    expect(await shareAt(await put(link, "a.txt", "x"))).toMatchObject({ title: "invoice" });
  });
});

describe("a bundle", () => {
  test("is shared with its last file, whatever way its files come, and not before", async () => {
    const link = await web.link();
    await settle(link, { files: 3, title: "Mixed" });
    const tus = tusClient(link);
    const first = await tus.begin(5, { filename: "a.txt", relativePath: "folder/a.txt" });
    expect((await tus.patch(first, 0, "first")).headers.get("content-location")).toBeNull();
    const second = await put(link, "b.txt", "second");
    expect(second.status).toBe(201);
    expect((await fetch(second.headers.get("location") ?? "")).status).toBe(404);
    const third = await tus.begin(5, { filename: "c.txt", relativePath: "folder/sub/c.txt" });
    const share = (await tus.patch(third, 0, "third")).headers.get("content-location") ?? "";
    expect(second.headers.get("location")).toBe(share);
    expect(await web.files.get(lastOf(share))).toMatchObject({ name: "Mixed.zip", members: 3, size: 16 });
    expect(await namesOf(lastOf(share))).toEqual(["b.txt", "folder/a.txt", "folder/sub/c.txt"]);
  });

  test("has no place for one file more than was announced", async () => {
    const link = await web.link();
    await settle(link, { files: 2 });
    const tus = tusClient(link);
    await tus.begin(5, { filename: "a.txt" });
    await tus.begin(5, { filename: "b.txt" });
    const refused = await tus.create(5, { filename: "c.txt" });
    expect([refused.status, await typeOf(refused)]).toEqual([400, "urn:wisbot:problem:share.invalid"]);
  });

  test("is finished early with what is there, without what was cut", async () => {
    const link = await web.link();
    await settle(link, { files: 5 });
    await put(link, "a.txt", "first");
    await put(link, "b.txt", "second");
    const tus = tusClient(link);
    const cut = await tus.begin(100, { filename: "c.txt" });
    await tus.patch(cut, 0, "some of it");
    const finished = await finish(link);
    expect(finished.status).toBe(201);
    expect((await finished.text()).trim()).toBe(finished.headers.get("location") ?? "");
    expect(await shareAt(finished)).toMatchObject({ members: 2, size: 11 });
    expect((await tus.head(cut)).status).toBe(404);
  });

  test("of one file is that file itself, under the link's own address", async () => {
    const link = await web.link();
    await settle(link, { files: 5, title: "Alone", password: "sesame" });
    await put(link, "only.txt", "hello");
    const file = await shareAt(await finish(link));
    expect(file).toMatchObject({
      name: "only.txt",
      title: "Alone",
      members: undefined,
    });
    expect(file.passwordHash).not.toBeNull();
    expect(file.shareId).toBe(file.id);
  });

  test("of nothing can't be finished, and one that is finished can't be again", async () => {
    const link = await web.link();
    await settle(link, { files: 2 });
    expect((await finish(link)).status).toBe(400);
    await put(link, "a.txt", "x");
    expect((await finish(link)).status).toBe(201);
    expect((await finish(link)).status).toBe(410);
    expect((await finish(`${web.url}/u/${UNKNOWN}`)).status).toBe(404);
  });

  test("is finished once, however many ask at once", async () => {
    const link = await web.link();
    await settle(link, { files: 9 });
    await put(link, "a.txt", "first");
    await put(link, "b.txt", "second");
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => finish(link)))).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.every((status) => [201, 400, 410].includes(status))).toBe(true);
  });

  test("counts as one file of its owner's, with all of its bytes", async () => {
    const owner = "bundle-owner";
    const link = await web.link(owner);
    await settle(link, { files: 2 });
    await put(link, "a.txt", "first");
    await put(link, "b.txt", "second");
    expect(await web.files.usage(owner)).toEqual({ files: 1, bytes: 11 });
  });

  test("of hostile paths keeps every file inside, and apart", async () => {
    const link = await web.link();
    await settle(link, { files: 4 });
    const tus = tusClient(link);
    for (const relativePath of ["../../etc/passwd", "/etc/passwd", "C:\\Windows\\win.ini", "a/../../b.txt"]) {
      await tus.patch(await tus.begin(1, { filename: "x", relativePath }), 0, "x");
    }
    const { url } = await look(link);
    for (const path of await namesOf(lastOf(url))) expect(path).not.toMatch(/^\/|\.\.|\\|:/);
  });
});

describe("an upload page asked for JSON", () => {
  test("says what is here, what is coming and how many are expected; and where the share is in the end", async () => {
    const link = await web.link();
    expect(await look(link)).toEqual({ state: "open", files: [], expected: null });
    await settle(link, { files: 2 });
    const tus = tusClient(link);
    const upload = await tus.begin(10, { filename: "b.txt", relativePath: "folder/b.txt" });
    await tus.patch(upload, 0, "some");
    await put(link, "a.txt", "hello");
    expect(await look(link)).toEqual({
      state: "open",
      expected: 2,
      files: [
        { name: "a.txt", path: "a.txt", size: 5, received: 5, state: "ready" },
        { name: "b.txt", path: "folder/b.txt", size: 10, received: 4, state: "uploading" },
      ],
    });
    const done = await tus.patch(upload, 4, " of it");
    const url = done.headers.get("content-location") ?? "";
    expect(await look(link)).toEqual({ state: "used", files: [], expected: null, url });
  });

  test("tells neither the key that an upload goes on with nor whose it is", async () => {
    const link = await web.link("the-owner");
    const upload = await tusClient(link).begin(10);
    const said = JSON.stringify(await look(link));
    for (const secret of [lastOf(upload), "the-owner"]) expect(said).not.toContain(secret);
  });
});

describe("the form, without JavaScript", () => {
  test("shares one file, as its fields say, and answers with a page that shows the link", async () => {
    const fields = {
      title: "Plain",
      note: "no\r\nscript",
      expires: "1d",
      max_downloads: "2",
      password: "sesame",
    };
    const answer = await post(await web.link(), formOf(fields, [["one.txt", "hello"]]));
    expect(answer.status).toBe(201);
    expect(answer.headers.get("content-type")).toStartWith("text/html");
    expect(await answer.text()).toContain(answer.headers.get("location") ?? "nothing");
    const file = await shareAt(answer);
    expect(file).toMatchObject({ name: "one.txt", title: "Plain", note: "no\nscript", maxDownloads: 2 });
    expect(file.passwordHash).not.toBeNull();
  });

  test("shares two files as a bundle", async () => {
    const answer = await post(
      await web.link(),
      formOf({}, [
        ["one.txt", "first"],
        ["two.txt", "second"],
      ]),
    );
    expect(answer.status).toBe(201);
    expect(await shareAt(answer)).toMatchObject({ members: 2, size: 11 });
  });

  test.each([
    ["no file", []],
    ["an input that was left empty", [["", ""]]],
  ] as [string, [string, string][]][])("with %s says so, and the link still works", async (_, files) => {
    const link = await web.link();
    const answer = await post(link, formOf({ title: "x" }, files));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("No file was chosen");
    expect(await look(link)).toEqual({ state: "open", files: [], expected: null });
    expect((await put(link, "a.txt", "x")).status).toBe(201);
  });

  test("with a field that is wrong keeps nothing", async () => {
    const link = await web.link("wrong-field");
    const answer = await post(link, formOf({ max_downloads: "0" }, [["one.txt", "hello"]]));
    expect(answer.status).toBe(400);
    expect(await web.files.usage("wrong-field")).toEqual({ files: 1, bytes: 0 });
  });

  test("cut in the middle leaves nothing: not the file that had arrived, not the one that was coming", async () => {
    await using one = await openTestWeb();
    const link = await one.link("1");
    const part = (name: string, content: string) =>
      `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n${content}`;
    {
      using connection = await openRaw(one.port);
      const head = `POST ${new URL(link).pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b`;
      await connection.write(`${head}\r\nContent-Length: 100000\r\n\r\n`);
      await connection.write(`${part("one.txt", "whole")}\r\n${part("two.txt", "only some of")}`);
      await until("the first file", async () => (await one.files.usage("1")).bytes >= 5);
    }
    const view = async () => await (await fetch(link, { headers: JSON_ONLY })).json();
    await until("the link as it was", async () => {
      const inspected = await one.files.inspect(lastOf(link));
      return inspected.state === "open" && inspected.expected === null;
    });
    expect(await view()).toEqual({ state: "open", files: [], expected: null });
    expect(await Array.fromAsync(one.blobs.keys())).toEqual([]);
    expect(await one.blobs.sweep(() => false)).toBe(0);

    const again = await post(link, formOf({}, [["one.txt", "whole"]]));
    expect(await shareAt(again, one)).toMatchObject({ name: "one.txt", members: undefined });
    expect(one.log()).not.toContain('"level":"error"');
  });

  test("whose second file is over the limit keeps nothing of the first", async () => {
    await using one = await openTestWeb({ config: { files: { max_file_size: "10B" } } });
    const link = await one.link("1");
    const both = formOf({}, [
      ["small.txt", "small"],
      ["large.txt", "far too large"],
    ]);
    expect((await post(link, both)).status).toBe(413);
    expect(await one.files.usage("1")).toEqual({ files: 1, bytes: 0 });
    expect((await one.files.inspect(lastOf(link))).state).toBe("open");
    expect((await post(link, formOf({}, [["small.txt", "small"]]))).status).toBe(201);
  });

  test("that is no form, or from another site, is refused", async () => {
    const link = await web.link();
    const json = { ...HTML, "content-type": "application/json" };
    expect((await fetch(link, { method: "POST", headers: json, body: "{}" })).status).toBe(400);
    const foreign = { ...HTML, origin: "https://evil.test" };
    expect((await post(link, formOf({}, [["a.txt", "x"]]), foreign)).status).toBe(403);
    expect((await web.files.inspect(lastOf(link))).state).toBe("open");
  });

  test("of thousands of fields is refused and not read to its end", async () => {
    const link = await web.link();
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`field-${at}`, "x"]));
    expect((await post(link, formOf(fields, [["a.txt", "x"]]))).status).toBe(400);
  });
});

describe("a token", () => {
  const mint = (ownerId: string) => web.files.mintToken({ ownerId, asker, name: "test" });
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

  test("lets curl -T share a file, with what it is to be in the query", async () => {
    const { secret } = await mint("token-curl");
    await using file = await temporaryFile("big file.iso", new TextEncoder().encode("hello"));
    const query = "title=From%20curl&expires=1d&max_downloads=1&password=sesame";
    const sent = await curl([
      "-T",
      file.path,
      "-H",
      `Authorization: Bearer ${secret}`,
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
    await one.files.revokeToken(id, "1");
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

test("curl -u :PASSWORD downloads what has a password", async () => {
  const link = await web.link();
  await settle(link, { password: "open: sesame" });
  const share = (await put(link, "a.txt", "hello")).headers.get("location") ?? "";
  expect((await curl([`${share}/download`])).status).toBe(401);
  expect((await curl(["-u", ":wrong", `${share}/download`])).status).toBe(403);
  expect(await curl(["-u", ":open: sesame", `${share}/download`])).toMatchObject({
    status: 200,
    body: "hello",
  });
});
