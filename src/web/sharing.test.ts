import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { curl } from "../testing/curl.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { put, settle, shareAt } from "../testing/sharing.ts";
import { lastOf, tusClient } from "../testing/tus-client.ts";

const JSON_ONLY = { accept: "application/json" };
const UNKNOWN = "A".repeat(22);
const DAY = 86_400_000;

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const finish = (link: string) => fetch(`${link}/finish`, { method: "POST" });
const look = async (link: string) => await (await fetch(link, { headers: JSON_ONLY })).json();
const typeOf = async (response: Response) => (await response.json()).type;

const namesOf = async (id: string) => {
  const members = await web.files.members(await web.files.get(id));
  return members.map(({ path, name }) => path ?? name);
};

describe("settings", () => {
  test("make the share what its sender says", async () => {
    const link = await web.link();
    const wishes = { title: "Photos", note: "of us", password: "sesame", max_downloads: 3, expires: "2d" };
    expect((await settle(link, { files: 1, ...wishes })).status).toBe(204);
    const file = await shareAt(await put(link, "a.txt", "hello"), web);
    expect(file).toMatchObject({ title: "Photos", note: "of us", maxDownloads: 3, downloads: 0 });
    expect(file.passwordHash).toStartWith("$argon2id$");
    expect(file.expiresAt - file.readyAt).toBe(2 * DAY);
  });

  test("that leave something out, or empty, leave it as usual", async () => {
    const link = await web.link();
    await settle(link, { title: "", note: null, password: "", expires: "", max_downloads: "" });
    const file = await shareAt(await put(link, "a.txt", "hello"), web);
    expect(file).toMatchObject({ title: null, note: null, passwordHash: null, maxDownloads: null });
    expect(file.expiresAt - file.readyAt).toBe(7 * DAY);
  });

  test("said again replace those before", async () => {
    const link = await web.link();
    await settle(link, { title: "First", max_downloads: 1 });
    await settle(link, { title: "Second" });
    const file = await shareAt(await put(link, "a.txt", "hello"), web);
    expect(file).toMatchObject({ title: "Second", maxDownloads: null });
  });

  test("that only say how many files will come leave a password where it is", async () => {
    const link = await web.link();
    await settle(link, { files: 1, password: "sesame", max_downloads: 3 });
    await settle(link, { files: 2 });
    await put(link, "a.txt", "one");
    const share = await shareAt(await put(link, "b.txt", "two"), web);
    expect(share.passwordHash).toStartWith("$argon2id$");
    expect(share.maxDownloads).toBe(3);
  });

  test("in the query of an upload are refused, and not lost: a password might be among them", async () => {
    const link = await web.link();
    const answer = await fetch(`${link}/a.txt?password=sesame`, { method: "PUT", body: "x" });
    expect(answer.status).toBe(400);
    expect(await typeOf(answer)).toBe("urn:wisbot:problem:share.invalid");
    expect((await put(link, "a.txt", "x")).status).toBe(201);
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
    expect(await shareAt(await put(link, "a.txt", "hello"), web)).toMatchObject({
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
    expect(await shareAt(await put(link, "a.txt", "x"), web)).toMatchObject({ title: "invoice" });
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
    expect(await shareAt(finished, web)).toMatchObject({ members: 2, size: 11 });
    expect((await tus.head(cut)).status).toBe(404);
  });

  test("of one file is that file itself, under the link's own address", async () => {
    const link = await web.link();
    await settle(link, { files: 5, title: "Alone", password: "sesame" });
    await put(link, "only.txt", "hello");
    const file = await shareAt(await finish(link), web);
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

  test("answers with the status of the link, also to those who would take anything else", async () => {
    let later = 0;
    await using one = await openTestWeb({ now: () => Date.now() + later });
    const statusOf = async (link: string, accept: string) => {
      const response = await fetch(link, { headers: { accept } });
      return [response.status, response.headers.get("content-type"), (await response.json()).state];
    };
    const [open, used] = [await one.link(), await one.link()];
    await put(used, "a.txt", "x");
    for (const accept of ["application/json", "application/json, text/plain, */*"]) {
      expect(await statusOf(open, accept)).toEqual([200, "application/json", "open"]);
      expect(await statusOf(used, accept)).toEqual([410, "application/json", "used"]);
    }
    later = DAY;
    expect(await statusOf(open, "application/json")).toEqual([410, "application/json", "expired"]);
    expect((await fetch(`${one.url}/u/${UNKNOWN}`, { headers: JSON_ONLY })).status).toBe(404);
  });

  test("tells neither the key that an upload goes on with nor whose it is", async () => {
    const link = await web.link("the-owner");
    const upload = await tusClient(link).begin(10);
    const said = JSON.stringify(await look(link));
    for (const secret of [lastOf(upload), "the-owner"]) expect(said).not.toContain(secret);
  });
});

test("curl -u :PASSWORD downloads what has a password", async () => {
  const link = await web.link();
  await settle(link, { password: "open: sesame" });
  const share = (await put(link, "a.txt", "hello")).headers.get("location") ?? "";
  expect((await curl([`${share}/download`])).status).toBe(401);
  expect((await curl(["-u", ":wrong", `${share}/download`])).status).toBe(401);
  expect(await curl(["-u", ":open: sesame", `${share}/download`])).toMatchObject({
    status: 200,
    body: "hello",
  });
});
