import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw } from "../testing/raw-http.ts";
import { formOf, put, shareAt } from "../testing/sharing.ts";
import { lastOf } from "../testing/tus-client.ts";
import { until } from "../testing/until.ts";
import { readForm } from "./form.ts";

const HTML = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const JSON_ONLY = { accept: "application/json" };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

const post = (url: string, form: FormData, headers: Record<string, string> = HTML) =>
  fetch(url, { method: "POST", body: form, headers });
const look = async (link: string) => await (await fetch(link, { headers: JSON_ONLY })).json();

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
    const file = await shareAt(answer, web);
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
    expect(await shareAt(answer, web)).toMatchObject({ members: 2, size: 11 });
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

  test("with a setting behind its file is refused whole: the file would have been shared without it", async () => {
    const link = await web.link();
    const form = formOf({}, [["one.txt", "hello".repeat(100_000)]]);
    form.append("password", "sesame");
    const answer = await post(link, form, JSON_ONLY);
    expect(answer.status).toBe(400);
    expect((await answer.json()).hint).toBe("Put the settings before the file.");
    expect(await look(link)).toEqual({ state: "open", files: [], expected: null });
  });

  test("through no link takes no place", async () => {
    expect((await post(`${web.url}/u/${"A".repeat(22)}`, formOf({}, [["a.txt", "x"]]))).status).toBe(404);
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

test("a form that trickles in without a file is ended, however long its sender could go on", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (source) => source.enqueue(new TextEncoder().encode("a preamble that never ends")),
  });
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const request = new Request("http://wisbot.test/", { method: "POST", headers, body });
  const ended = readForm(request, async () => {}, 1).catch((error: unknown) => error);
  expect(await ended).toMatchObject({ code: "upload.slow" });
});
