import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw, requestRaw } from "../testing/raw-http.ts";
import { lastOf, offsetOf, tusClient } from "../testing/tus-client.ts";

// Each case is one that bit a peer of wisbot; its name says whom, and where that is written.

// Hundreds of guesses and requests: how many are let through is a test of its own.
const PLENTY = { requestsPerMinute: 100_000, uploadsPerMinute: 100_000, guessesPerMinute: 100_000 };

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb({ rates: PLENTY });
});
afterAll(() => web?.[Symbol.asyncDispose]());

const put = (link: string, name: string, body: BodyInit) => fetch(`${link}/${name}`, { method: "PUT", body });
const textAt = async (share: string) => await (await fetch(`${share}/download`)).text();
const shareOf = (response: Response) =>
  response.headers.get("content-location") ?? response.headers.get("location") ?? "";
const settle = (link: string, settings: object) =>
  fetch(`${link}/settings`, { method: "POST", body: JSON.stringify(settings) });

describe("a name that climbs is only a name (CVE-2025-22137 Pingvin Share; CVE-2026-35393 and CVE-2026-35392 goshs)", () => {
  const climbing = [
    "../../../escaped.txt",
    "..\\..\\escaped.txt",
    "/etc/cron.d/escaped.txt",
    "....//escaped.txt",
  ];

  test.each(climbing)("in an address: %s", async (name) => {
    const sent = await put(await web.link(), encodeURIComponent(name), "x");
    expect(sent.status).toBe(201);
    expect(await web.files.get(lastOf(shareOf(sent)))).toMatchObject({ name: "escaped.txt" });
  });

  test.each(climbing)("in a form: %s", async (name) => {
    const link = await web.link();
    const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\nx\r\n--b--\r\n`;
    const head = `POST ${new URL(link).pathname} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b`;
    const { answer } = await requestRaw(web.port, `${head}\r\nContent-Length: ${body.length}`, body);
    const share = /^location: (\S+)/im.exec(answer)?.[1] ?? "";
    expect(await web.files.get(lastOf(share))).toMatchObject({
      name: expect.stringMatching(/^[^/\\]*escaped\.txt$/),
    });
  });

  test.each(climbing)("in a resumable upload, as its name and as its place in a bundle: %s", async (name) => {
    const link = await web.link();
    await settle(link, { files: 2 });
    const tus = tusClient(link);
    await tus.patch(await tus.begin(1, { filename: "other.txt" }), 0, "x");
    const done = await tus.patch(await tus.begin(1, { filename: name, relativePath: name }), 0, "x");
    const members = await web.files.members(await web.files.get(lastOf(shareOf(done))));
    for (const { path } of members) expect(path).not.toMatch(/\.\.|^\/|\\/);
  });

  test.each(["..%2f..%2fescaped", "%2e%2e", "__proto__", "constructor"])(
    "where an upload's own id is said: %s (CVE-2025-22137 Pingvin Share: the id of a chunk)",
    async (id) => {
      for (const verb of ["PATCH", "HEAD", "DELETE"]) {
        const head = `${verb} /api/uploads/${id} HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0`;
        const { status } = await requestRaw(
          web.port,
          `${head}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 1`,
          "x",
        );
        expect([verb, status]).toEqual([verb, 404]);
      }
    },
  );
});

describe("what is finished stays as it is", () => {
  test("no bytes are added to a file (GHSA-2p2x-p7wj-j5h2 PsiTransfer: PATCH to what others download)", async () => {
    const link = await web.link();
    const tus = tusClient(link);
    const upload = await tus.begin(5);
    const share = shareOf(await tus.patch(upload, 0, "first"));
    // By the upload's address, and by every id that somebody who downloads it has seen.
    const { blobKey } = await web.files.get(lastOf(share));
    for (const id of [lastOf(upload), lastOf(share), lastOf(link), blobKey ?? ""]) {
      for (const offset of [0, 5]) {
        const refused = await tus.patch(`${tus.uploads}/${id}`, offset, "changed");
        expect([404, 409, 410, 413]).toContain(refused.status);
      }
      expect((await tus.cancel(`${tus.uploads}/${id}`)).status).toBeGreaterThanOrEqual(400);
    }
    for (const method of ["PUT", "PATCH", "POST", "DELETE"]) await fetch(`${share}/download`, { method });
    await put(link, "a.bin", "changed");
    expect(await textAt(share)).toBe("first");
  });

  test("no files are added to a bundle (GHSA-xg8v-m2mh-45m6 PsiTransfer: POST with the id of a share)", async () => {
    const link = await web.link();
    await settle(link, { files: 2 });
    await put(link, "a.txt", "first");
    const share = shareOf(await put(link, "b.txt", "second"));
    const tus = tusClient(link);
    for (const ticket of [lastOf(link), lastOf(share)]) {
      const refused = await tus.create(5, { ticket, filename: "malware.exe" });
      expect([404, 410]).toContain(refused.status);
    }
    expect((await put(link, "malware.exe", "x")).status).toBe(410);
    expect((await settle(link, { files: 3 })).status).toBe(410);
    expect((await web.files.get(lastOf(share))).members).toBe(2);
  });

  test("no file of a bundle is taken out of it, which would change its ZIP", async () => {
    const link = await web.link();
    await settle(link, { files: 2 });
    await put(link, "a.txt", "first");
    const bundle = await web.files.get(lastOf(shareOf(await put(link, "b.txt", "second"))));
    const [member] = await web.files.members(bundle);
    expect(web.files.remove(member?.id ?? "", "admin")).rejects.toThrow();
    expect(await web.files.members(bundle)).toHaveLength(2);
  });
});

describe("an upload never ends the process", () => {
  test("that does not exist (no advisory known; tus-node-server#411: a store's error that nobody caught)", async () => {
    const tus = tusClient(await web.link());
    const gone = await tus.begin(5);
    await tus.cancel(gone);
    for (const upload of [gone, `${tus.uploads}/${"A".repeat(22)}`, `${tus.uploads}/x`]) {
      const answers = [tus.patch(upload, 0, "hello"), tus.head(upload), tus.cancel(upload)];
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([404, 404, 404]);
    }
    expect((await fetch(`${web.url}/live`)).status).toBe(200);
  });

  test("whose sender is gone (tus-node-server#747 and #409: the server ends with its client)", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(1_000_000);
    for (const sent of [0, 1, 200_000]) {
      using connection = await openRaw(web.port);
      const from = offsetOf(await tus.head(upload));
      await connection.write(tus.patchHead(upload, from, 1_000_000 - from));
      await connection.write(new Uint8Array(sent));
    }
    expect((await tus.head(upload)).status).toBe(200);
    expect((await fetch(`${web.url}/live`)).status).toBe(200);
    expect(web.log()).not.toContain('"level":"error"');
  });
});

describe("the size limit holds (CVE-2026-30961 Gokapi: each chunk alone was looked at)", () => {
  const limited = () => openTestWeb({ config: { files: { max_file_size: "10B" } } });

  test("for chunks that are small enough, one after the other", async () => {
    await using one = await limited();
    const tus = tusClient(await one.link("1"));
    const upload = await tus.begin(undefined);
    for (const offset of [0, 4]) expect((await tus.patch(upload, offset, "1234")).status).toBe(204);
    expect((await tus.patch(upload, 8, "1234")).status).toBe(413);
    expect((await one.files.usage("1")).bytes).toBeLessThanOrEqual(10);
  });

  test("for a length that is said too small, too late, or never", async () => {
    await using one = await limited();
    const tus = tusClient(await one.link());
    expect((await tus.create(11)).status).toBe(413);
    const small = await tus.begin(5);
    expect((await tus.patch(small, 0, "12345678901")).status).toBe(413);
    const late = await tusClient(await one.link()).begin(undefined);
    await tus.patch(late, 0, "12345");
    expect((await tus.patch(late, 5, "", { "upload-length": "11" })).status).toBe(413);
  });

  test("for a form and a chunked body, which say no length", async () => {
    await using one = await limited();
    const form = new FormData();
    form.append("file", new File(["12345678901"], "a.txt"));
    expect((await fetch(await one.link(), { method: "POST", body: form })).status).toBe(413);
    const body = new Blob(["12345678901"]).stream();
    expect((await put(await one.link(), "a.txt", body)).status).toBe(413);
  });
});

test("settings, passwords and other small bodies are never read without end (CVE-2026-30955 Gokapi)", async () => {
  const link = await web.link();
  const share = await web.share("a.txt", "x");
  const before = process.memoryUsage().rss;
  const body = new Uint8Array(60_000_000);
  const type = { "content-type": "application/x-www-form-urlencoded" };
  for (let i = 0; i < 3; i += 1) {
    expect((await fetch(`${link}/settings`, { method: "POST", body })).status).toBe(400);
    await (await fetch(share, { method: "POST", body, headers: type })).text();
  }
  const endless = new Blob(["x".repeat(1_000_000)]).stream();
  expect((await fetch(`${link}/settings`, { method: "POST", body: endless })).status).toBe(400);
  expect(process.memoryUsage().rss - before).toBeLessThan(250_000_000);
});

describe("a quota is not outrun (CVE-2026-77633 Cloudreve: many uploads at once, each within it)", () => {
  const rates = { requestsPerMinute: 10_000, uploadsPerMinute: 10_000, uploadsAtOncePerClient: 200 };

  test("by uploads of known length", async () => {
    await using one = await openTestWeb({
      rates,
      config: { files: { max_bytes_per_user: "1kB", max_files_per_user: 100 } },
    });
    const links = await Promise.all(Array.from({ length: 100 }, () => one.link("1")));
    const statuses = (await Promise.all(links.map((link) => put(link, "a.bin", new Uint8Array(600))))).map(
      ({ status }) => status,
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 413)).toHaveLength(99);
    expect((await one.files.usage("1")).bytes).toBe(600);
  });

  test("by uploads that don't say how long they are", async () => {
    await using one = await openTestWeb({
      rates,
      config: { files: { max_bytes_per_user: "1kB", max_files_per_user: 100 } },
    });
    const links = await Promise.all(Array.from({ length: 20 }, () => one.link("1")));
    const send = (link: string) => put(link, "a.bin", new Blob([new Uint8Array(600)]).stream());
    const statuses = (await Promise.all(links.map(send))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201).length).toBeLessThanOrEqual(1);
    expect((await one.files.usage("1")).bytes).toBeLessThanOrEqual(1_000);
  });

  test("by links, which count as files", async () => {
    await using one = await openTestWeb({ config: { files: { max_files_per_user: 3 } } });
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => one.link("1")));
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });
});
