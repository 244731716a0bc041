import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openTestApp } from "../testing/open-test-app.ts";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { openRaw, requestRaw } from "../testing/raw-http.ts";
import { lastOf, offsetOf, TUS, tusClient } from "../testing/tus-client.ts";
import { until } from "../testing/until.ts";

// A process of its own on a busy machine.
setDefaultTimeout(30_000);

const UNKNOWN = "A".repeat(22);
/** Enough that much of its half is on the disk before the body has ended. */
const WHOLE = randomBytes(2_000_000);
const HALF = WHOLE.subarray(0, 1_000_000);
const CHECKSUM = createHash("sha256").update(WHOLE).digest("hex");

let web: TestWeb;
beforeAll(async () => {
  web = await openTestWeb();
});
afterAll(() => web?.[Symbol.asyncDispose]());

async function downloaded(response: Response): Promise<string> {
  const share = response.headers.get("content-location");
  if (!share) throw new Error(`${response.status} without a share`);
  return await (await fetch(`${share}/download`)).text();
}

/** An upload of WHOLE whose PATCH has sent half of it, and hangs. Some of it is on the disk. */
async function hanging(one: TestWeb, ownerId?: string) {
  const link = await one.link(ownerId);
  const tus = tusClient(link);
  const upload = await tus.begin(WHOLE.length);
  const connection = await openRaw(one.port);
  await connection.write(tus.patchHead(upload, 0, WHOLE.length));
  await connection.write(HALF);
  await until("bytes on the disk", async () => {
    const view = await one.files.inspect(lastOf(link));
    return view.state === "open" && view.arriving.some(({ received }) => received > 0);
  });
  return { link, tus, upload, connection };
}

/** Sends what is missing of WHOLE, from where the server says. Gives where that was, and the share's address. */
async function goOn(tus: ReturnType<typeof tusClient>, upload: string) {
  const head = await tus.head(upload);
  expect(head.status).toBe(200);
  const from = offsetOf(head);
  expect(from).toBeGreaterThan(0);
  expect(from).toBeLessThanOrEqual(HALF.length);
  const done = await tus.patch(upload, from, WHOLE.subarray(from));
  expect(done.status).toBe(204);
  return done.headers.get("content-location") ?? "";
}

describe("an upload begins", () => {
  test("of known length, at an address that says how far it is", async () => {
    const tus = tusClient(await web.link());
    const created = await tus.create(5);
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toMatch(/^\/api\/uploads\/[\w-]{22}$/);
    const head = await tus.head(`${web.url}${created.headers.get("location")}`);
    expect(head.status).toBe(200);
    expect([offsetOf(head), head.headers.get("upload-length")]).toEqual([0, "5"]);
    expect(head.headers.get("cache-control")).toBe("no-store");
  });

  test("of deferred length, which is said with the last bytes", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(undefined);
    await tus.patch(upload, 0, "hel");
    const head = await tus.head(upload);
    expect([offsetOf(head), head.headers.get("upload-defer-length")]).toEqual([3, "1"]);
    const done = await tus.patch(upload, 3, "lo", { "upload-length": "5" });
    expect(done.status).toBe(204);
    expect(await downloaded(done)).toBe("hello");
  });

  test("with its first bytes, or with all of them", async () => {
    const part = await tusClient(await web.link()).create(5, {}, { body: "hel" });
    expect([part.status, offsetOf(part), part.headers.get("content-location")]).toEqual([201, 3, null]);
    const whole = await tusClient(await web.link()).create(5, {}, { body: "hello" });
    expect([whole.status, offsetOf(whole)]).toEqual([201, 5]);
    expect(await downloaded(whole)).toBe("hello");
  });

  test("and ends at once with no bytes at all", async () => {
    const created = await tusClient(await web.link()).create(0, { filename: "empty.txt" });
    expect(created.status).toBe(201);
    expect(await downloaded(created)).toBe("");
  });

  test("only through a link that is one, with a ticket, a length and the protocol's version", async () => {
    const tus = tusClient(await web.link());
    expect((await tus.create(5, { ticket: UNKNOWN })).status).toBe(404);
    expect((await tus.create(5, { ticket: "" })).status).toBe(404);
    expect((await tus.create(5, { ticket: "../../etc/passwd" })).status).toBe(404);
    expect((await fetch(tus.uploads, { method: "POST", headers: TUS })).status).toBe(400);
    expect((await fetch(tus.uploads, { method: "POST" })).status).toBe(412);
    for (const length of ["-1", "1e3", "nonsense", "99999999999999999999"]) {
      const { status } = await tus.create(undefined, {}, { headers: { "upload-length": length } });
      expect([length, status]).toEqual([length, 400]);
    }
    expect((await tus.create(5)).status).toBe(201);
  });

  test("not from a page of another site", async () => {
    const link = await web.link();
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.test" }]) {
      expect((await tusClient(link).create(5, {}, { headers: { ...headers } })).status).toBe(403);
    }
    expect(await web.files.inspect(lastOf(link))).toMatchObject({ state: "open", arriving: [] });
  });

  test("without a word of CORS: only this site's own pages may read its answers", async () => {
    const headers = { origin: "https://evil.test", "access-control-request-method": "PATCH" };
    const asked = await fetch(`${web.url}/api/uploads`, { method: "OPTIONS", headers });
    expect(asked.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("an upload goes on", () => {
  test("only where it stands: any other offset is 409 and changes nothing", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(10);
    await tus.patch(upload, 0, "hello");
    for (const offset of [0, 4, 6, 10, 1e15]) {
      const refused = await tus.patch(upload, offset, "world");
      expect([offset, refused.status]).toEqual([offset, 409]);
      expect(await refused.json()).toMatchObject({ type: "urn:wisbot:problem:upload.offset" });
    }
    expect(await downloaded(await tus.patch(upload, 5, "world"))).toBe("helloworld");
  });

  test("behind what arrived before its connection was cut, and its checksum is that of the whole", async () => {
    const { link, tus, upload, connection } = await hanging(web);
    connection[Symbol.dispose]();
    const share = await goOn(tus, upload);
    expect(await web.files.get(lastOf(share))).toMatchObject({ size: WHOLE.length, sha256: CHECKSUM });
    expect((await fetch(link)).status).toBe(410);
  });

  test("while its half-open request still hangs: whoever asks where it stands is answered, and may send", async () => {
    const { tus, upload, connection } = await hanging(web);
    using _ = connection;
    const share = await goOn(tus, upload);
    expect((await web.files.get(lastOf(share))).sha256).toBe(CHECKSUM);
    // The one that hung heard how far it had come, and that nobody listens to it any more.
    const told = await connection.closed;
    expect(told).toMatch(/^HTTP\/1\.1 204 .*Connection: close.*Upload-Offset: \d+/is);
  });

  test("for one of many who ask at once; each of the others hears why not", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(5);
    const answers = await Promise.all(
      ["aaaaa", "bbbbb", "ccccc", "ddddd"].map((body) => tus.patch(upload, 0, body)),
    );
    const won = answers.filter(({ status }) => status === 204);
    expect(won).toHaveLength(1);
    for (const { status } of answers) expect([204, 409, 410]).toContain(status);
    const [winner] = won;
    if (winner) expect(await downloaded(winner)).toMatch(/^(.)\1{4}$/);
  });

  test("after a restart, with what had arrived", async () => {
    await using before = await openTestWeb();
    const { link, tus, upload, connection } = await hanging(before);
    using _ = connection;
    await using after = await before.restart();
    expect(await after.files.inspect(lastOf(link))).toMatchObject({
      state: "open",
      arriving: [{ name: "a.bin", size: WHOLE.length, received: expect.any(Number), ready: false }],
    });
    const share = await goOn(tus, upload);
    expect((await after.files.get(lastOf(share))).sha256).toBe(CHECKSUM);
  });

  test("after kill -9 of the daemon, with what was on the disk", async () => {
    await using app = await openTestApp();
    const killed = await app.start("--no-discord");
    const tus = tusClient(await app.link());
    const upload = await tus.begin(WHOLE.length);
    using connection = await openRaw(Number(new URL(app.url).port));
    await connection.write(tus.patchHead(upload, 0, WHOLE.length));
    await connection.write(HALF);
    const incoming = join(app.folder, "data/files/incoming");
    await until("bytes on the disk", async () => {
      const names = await readdir(incoming);
      return names.some((name) => Bun.file(join(incoming, name)).size > 0);
    });
    await killed.kill("SIGKILL");
    await app.start("--no-discord");
    const share = await goOn(tus, upload);
    expect(Buffer.from(await (await fetch(`${share}/download`)).bytes())).toEqual(WHOLE);
  });

  test("after its link ended, as long as the admin lets cut uploads go on", async () => {
    let now = Date.now();
    await using one = await openTestWeb({ now: () => now });
    const tus = tusClient(await one.link());
    const upload = await tus.begin(10);
    await tus.patch(upload, 0, "hello");
    now += 2 * 3_600_000;
    await one.cleanUp();
    expect(await downloaded(await tus.patch(upload, 5, "world"))).toBe("helloworld");
  });

  test("and tells a sender that missed the end where its share is", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(5);
    const done = await tus.patch(upload, 0, "hello");
    const head = await tus.head(upload);
    expect(offsetOf(head)).toBe(5);
    expect(head.headers.get("content-location")).toBe(done.headers.get("content-location"));
  });
});

describe("what is finished", () => {
  test("refuses more bytes, other bytes and being taken away", async () => {
    const tus = tusClient(await web.link());
    const upload = await tus.begin(5);
    const done = await tus.patch(upload, 0, "hello");
    expect((await tus.patch(upload, 5, "!")).status).toBe(413);
    expect((await tus.patch(upload, 5, "")).status).toBe(410);
    expect((await tus.patch(upload, 0, "jello")).status).toBe(409);
    const refused = await tus.cancel(upload);
    expect(refused.status).toBe(410);
    expect((await refused.json()).detail).toContain("finished");
    expect(await downloaded(done)).toBe("hello");
  });

  test("lets nobody begin another upload through its link", async () => {
    const tus = tusClient(await web.link());
    await tus.patch(await tus.begin(5), 0, "hello");
    expect((await tus.create(5)).status).toBe(410);
  });
});

describe("an upload that is not there", () => {
  const ids = [
    UNKNOWN,
    "x",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2fwisbot.db",
    "..%5c..%5cwisbot.db",
    "%00",
    "%zz",
    "__proto__",
    "constructor",
    "a".repeat(5_000),
  ];
  test.each(["HEAD", "PATCH", "DELETE", "GET", "OPTIONS", "PUT", "POST"])(
    "is refused to every verb, and the process lives: %s",
    async (verb) => {
      await using one = await openTestWeb();
      for (const id of ids) {
        const head = [
          `${verb} /api/uploads/${id} HTTP/1.1`,
          "Tus-Resumable: 1.0.0",
          "Upload-Offset: 0",
          "Content-Type: application/offset+octet-stream",
          "Content-Length: 5",
        ].join("\r\n");
        const { status } = await requestRaw(one.port, head, "hello");
        const right = verb === "OPTIONS" ? [204, 400] : verb === "PUT" ? [405, 400] : [404, 400];
        expect([id, right.includes(status)]).toEqual([id, true]);
      }
      expect((await fetch(`${one.url}/live`)).status).toBe(200);
      expect(one.log()).not.toContain('"level":"error"');
    },
  );

  test("counts as a guess", async () => {
    await using one = await openTestWeb({ rates: { guessesPerMinute: 3 } });
    const tus = tusClient(await one.link());
    const upload = await tus.begin(5);
    for (let i = 0; i < 3; i += 1) await tus.head(`${tus.uploads}/${UNKNOWN}`);
    expect((await tus.head(upload)).status).toBe(429);
  });
});

test("an upload's address tells nothing of its link, its name or its type", async () => {
  const link = await web.link();
  const tus = tusClient(link);
  const upload = await tus.begin(5, { filename: "secret-plans.txt", filetype: "text/plain" });
  const head = await tus.head(upload);
  expect(head.headers.get("upload-metadata")).toBeNull();
  const said = JSON.stringify([...head.headers]);
  for (const secret of [lastOf(link), "secret-plans"]) expect(said).not.toContain(secret);
  expect(web.log()).not.toContain(lastOf(upload));
});

describe("two uploaders on one link", () => {
  test("exactly one of them makes the file, of its own bytes alone", async () => {
    const link = await web.link();
    const send = async (letter: string) => {
      const tus = tusClient(link);
      const created = await tus.create(300_000, { filename: `${letter}.txt` });
      if (created.status !== 201) return created;
      return await tus.patch(`${web.url}${created.headers.get("location")}`, 0, letter.repeat(300_000));
    };
    const answers = await Promise.all([..."abcdefgh"].map(send));
    const won = answers.filter((answer) => answer.headers.get("content-location"));
    expect(won).toHaveLength(1);
    for (const { status } of answers) expect([204, 404, 409, 410, 400, 429]).toContain(status);
    const [winner] = won;
    if (winner) expect(await downloaded(winner)).toMatch(/^(.)\1{299999}$/);
  });

  test("the second is told to wait while bytes of the first are coming", async () => {
    const { tus, connection, upload } = await hanging(web);
    using _ = connection;
    const refused = await tus.create(5);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ type: "urn:wisbot:problem:ticket.busy" });
    expect(await goOn(tus, upload)).toContain("/f/");
  });

  test("one that nobody sends any more gives way, with every byte of it", async () => {
    await using one = await openTestWeb();
    const { tus, connection, upload } = await hanging(one, "1");
    connection[Symbol.dispose]();
    await tus.head(upload);
    const second = await tus.begin(5);
    expect((await tus.head(upload)).status).toBe(404);
    expect(await one.files.usage("1")).toMatchObject({ files: 1, bytes: 5 });
    expect(await one.blobs.sweep((key) => key === lastOf(second))).toBe(0);
    expect(await downloaded(await tus.patch(second, 0, "hello"))).toBe("hello");
  });
});
