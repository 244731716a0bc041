import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw } from "../testing/raw-http.ts";
import { formOf, put, shareAt } from "../testing/sharing.ts";
import { lastOf } from "../testing/tus-client.ts";
import { until } from "../testing/until.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const JSON_ONLY = { accept: "application/json" };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const BEFORE = "Put the settings before the file.";
const SHARE_OF_TWO: [string, string][] = [
  ["one.txt", "first"],
  ["two.txt", "second"],
];

/** Like curl -F, unless it says that it is a browser. */
const post = (url: string, form: FormData, headers: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body: form, headers, redirect: "manual" });
const look = async (link: string) => await (await fetch(link, { headers: JSON_ONLY })).json();

describe("the form, without JavaScript", () => {
  test("shares one file, as its fields say, and answers curl -F with the share's address", async () => {
    const fields = {
      title: "Plain",
      note: "no\r\nscript",
      expires: "1d",
      max_downloads: "2",
      password: "sesame",
    };
    const answer = await post(await web.link(), formOf(fields, [["one.txt", "hello"]]));
    expect(answer.status).toBe(201);
    expect(await answer.text()).toBe(`${answer.headers.get("location")}\n`);
    const file = await shareAt(answer, web);
    expect(file).toMatchObject({ name: "one.txt", title: "Plain", note: "no\nscript", maxDownloads: 2 });
    expect(file.passwordHash).not.toBeNull();
  });

  test("shares two files as a bundle", async () => {
    const answer = await post(await web.link(), formOf({}, SHARE_OF_TWO));
    expect(answer.status).toBe(201);
    expect(await shareAt(answer, web)).toMatchObject({ members: 2, size: 11 });
  });

  test("leads a browser to a page with the link, which may be loaded again without sending the form again", async () => {
    const link = await web.link();
    const answer = await post(link, formOf({ password: "sesame" }, [["one.txt", "hello"]]), HTML);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, new URL(link).pathname]);
    const { url } = await look(link);
    const shown = await (await fetch(link, { headers: HTML })).text();
    for (const part of ["<h1>Uploaded</h1>", url, "data-copy"]) expect(shown).toContain(part);
  });

  test("of an unknown or a used link is refused before anything of it has come, and takes no place", async () => {
    await using one = await openTestWeb({ rates: { uploadsAtOncePerClient: 1 } });
    const used = await one.link();
    await put(used, "a.txt", "x");
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n`;
    using unknown = await openRaw(one.port);
    await unknown.write(head(`/u/${"A".repeat(22)}`));
    expect(await unknown.until("ticket.unknown")).toStartWith("HTTP/1.1 404");
    using closed = await openRaw(one.port);
    await closed.write(head(new URL(used).pathname));
    expect(await closed.until("ticket.used")).toStartWith("HTTP/1.1 410");
    expect((await put(await one.link(), "a.txt", "x")).status).toBe(201);
  });

  test.each(["title", "note", "password", "expires", "max_downloads"])(
    "with its %s behind a file keeps nothing, however large the file is",
    async (name) => {
      for (const size of [5, 3_000_000]) {
        const owner = `late ${name} ${size}`;
        const link = await web.link(owner);
        const form = formOf({}, [["one.bin", "x".repeat(size)]]);
        form.append(name, "1");
        const answer = await post(link, form);
        expect([answer.status, (await answer.json()).hint]).toEqual([400, BEFORE]);
        expect(await web.files.usage(owner)).toEqual({ files: 1, bytes: 0 });
        expect(await look(link)).toEqual({ state: "open", files: [], expected: null });
      }
    },
  );

  test("with a setting that there is not is refused: a misspelt password must not pass for one that was set", async () => {
    const link = await web.link("misspelt");
    for (const name of ["passwort", "maxDownloads", "files"]) {
      const answer = await post(link, formOf({ [name]: "1" }, [["one.txt", "hello"]]));
      expect([answer.status, (await answer.json()).detail]).toEqual([400, expect.stringContaining(name)]);
    }
    expect(await web.files.usage("misspelt")).toEqual({ files: 1, bytes: 0 });
  });

  test.each([
    ["no file", []],
    ["an input that was left empty", [["", ""]]],
  ] as [string, [string, string][]][])("with %s says so, and the link still works", async (_, files) => {
    const link = await web.link();
    const answer = await post(link, formOf({ title: "x" }, files));
    expect(answer.status).toBe(400);
    expect((await answer.json()).detail).toContain("No file was chosen");
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
