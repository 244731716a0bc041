import { afterAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { S3Client } from "bun";
import { openDesk } from "../app.ts";
import { loadConfig } from "../config/load.ts";
import type { FileDesk } from "../files/desk.ts";
import { newCapability } from "../lib/capability.ts";
import { lockMigration } from "../store/lock.ts";
import { cleanEnv } from "../testing/command-line.ts";
import { curl } from "../testing/curl.ts";
import { openTestApp, type TestApp } from "../testing/open-test-app.ts";
import { findS3Server, S3_SERVER_PACKAGE, startRelay, startS3, type TestS3 } from "../testing/s3.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";

// Files in S3 as people and admins meet them: curl, the command line, a real server, a real S3 service.

const python = findS3Server();
const server = python === undefined ? undefined : await startS3(python);
afterAll(() => server?.[Symbol.asyncDispose](), 60_000);

if (server) describe("S3", () => promises(server));
else test.skip(`S3: no server to test against; apt-get install ${S3_SERVER_PACKAGE}`, () => {});

// Every command is a process of its own, on a machine that may be busy.
const PATIENCE = 60_000;

function promises(s3: TestS3) {
  /** The bucket as its owner sees it, without wisbot. */
  const bucket = new S3Client(s3);

  interface Options {
    store: "disk" | "s3";
    presign?: boolean;
    endpoint?: string;
  }

  /** A wisbot with a place of its own in the bucket. */
  async function openS3App({ store, presign = true, endpoint = s3.endpoint }: Options) {
    const prefix = `instances/${newCapability()}`;
    const keys = { access_key_id: s3.accessKeyId, secret_access_key: s3.secretAccessKey };
    const place = { endpoint, bucket: s3.bucket, region: s3.region, prefix, presign, ...keys };
    const app = await openTestApp({ config: { files: { store, min_free_disk: "1MB", s3: place } } });
    return {
      app,
      /** Keys of the objects in its place. */
      async objects() {
        const found: string[] = [];
        for (;;) {
          const after = found.at(-1);
          const page = await bucket.list({
            prefix: `${prefix}/`,
            ...(after !== undefined && { startAfter: after }),
          });
          found.push(...(page.contents ?? []).map(({ key }) => key));
          if (!page.isTruncated) return found;
        }
      },
      [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
    };
  }

  async function asked<T = Record<string, unknown>>(app: TestApp, ...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await app.run("files", ...args, "--json");
    if (code !== 0) throw new Error(`files ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };

  /** Uploads by curl; gives the address of the share. */
  async function upload(app: TestApp, name: string, bytes: Uint8Array): Promise<string> {
    const path = join(app.folder, name);
    await writeFile(path, bytes);
    const { status, body } = await curl(["-T", path, `${await app.link()}/`]);
    expect(status).toBe(201);
    return body.trim();
  }

  const idOf = (share: string) => share.split("/").at(-1) ?? "";

  test(
    "a file goes up by curl, comes down from the store itself by its own name, and its object goes with it",
    async () => {
      await using opened = await openS3App({ store: "s3" });
      const { app, objects } = opened;
      const serve = await app.start("--no-discord");
      const bytes = randomBytes(3_000_000);
      const share = await upload(app, "Grüße.bin", bytes);
      expect(await objects()).toHaveLength(1);
      expect(await app.blobs()).toEqual([]);

      const sent = await fetch(`${share}/download`, { redirect: "manual" });
      expect(sent.status).toBe(302);
      expect(sent.headers.get("cache-control")).toBe("no-store");
      const address = sent.headers.get("location") ?? "";
      expect(address).toStartWith(`${s3.endpoint}/${s3.bucket}/instances/`);
      expect(new URL(address).searchParams.get("X-Amz-Expires")).toBe("300");
      const got = await fetch(address);
      expect(got.headers.get("content-disposition")).toContain("filename*=UTF-8''Gr%C3%BC%C3%9Fe.bin");
      expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
      expect((await curl(["-L", "-o", join(app.folder, "copy"), `${share}/download`])).exitCode).toBe(0);
      expect(Buffer.from(await Bun.file(join(app.folder, "copy")).bytes()).equals(bytes)).toBe(true);
      expect(await asked(app, "show", idOf(share))).toMatchObject({ downloads: 2 });
      expect(await asked(app, "verify")).toEqual(sound);

      expect(await asked(app, "rm", idOf(share))).toMatchObject({ failed: [] });
      expect(await objects()).toEqual([]);
      expect((await fetch(`${share}/download`)).status).toBe(404);
      expect(serve.log()).not.toContain(s3.secretAccessKey);
      expect(serve.log()).not.toContain("X-Amz-Signature");
    },
    PATIENCE,
  );

  test(
    "without presigned addresses every byte comes through wisbot, with its ETag and in ranges",
    async () => {
      await using opened = await openS3App({ store: "s3", presign: false });
      const { app } = opened;
      await app.start("--no-discord");
      const bytes = randomBytes(2_000_000);
      const share = await upload(app, "a.bin", bytes);
      const got = await fetch(`${share}/download`, { redirect: "manual" });
      expect(got.status).toBe(200);
      const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
      expect(got.headers.get("etag")).toBe(`"${sha256}"`);
      const head = await fetch(`${share}/download`, { method: "HEAD", redirect: "manual" });
      expect(head.headers.get("content-length")).toBe(String(bytes.length));
      expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
      const part = await fetch(`${share}/download`, { headers: { range: "bytes=1000000-1000009" } });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1_000_000, 1_000_010))).toBe(true);
    },
    PATIENCE,
  );

  test(
    "a presigned download is counted, and its type is one that no browser runs",
    async () => {
      await using opened = await openS3App({ store: "s3" });
      const { app } = opened;
      await app.start("--no-discord");
      for (const [name, type, sent] of [
        ["page.html", "text/html", "application/octet-stream"],
        ["a.png", "image/png", "image/png"],
      ] as const) {
        const headers = { "content-type": type };
        const put = await fetch(`${await app.link()}/${name}`, { method: "PUT", headers, body: "<script>" });
        const got = await fetch(`${(await put.text()).trim()}/download`);
        expect([got.redirected, got.headers.get("content-type")]).toEqual([true, sent]);
      }
      const metrics = await (await fetch(`${app.url}/metrics`)).text();
      expect(metrics).toMatch(/^wisbot_downloads_total\{[^}]*outcome="ok"[^}]*\} 2\b/m);
    },
    PATIENCE,
  );

  test(
    "a link with a number of downloads or a password is never presigned: its address could be passed on",
    async () => {
      await using opened = await openS3App({ store: "s3" });
      const { app } = opened;
      await app.start("--no-discord");
      await writeFile(join(app.folder, "once.txt"), "only for you");
      const once = await asked<{ url: string }>(app, "add", "once.txt", "--max-downloads", "1");
      const first = await fetch(`${once.url}/download`, { redirect: "manual" });
      expect(first.status).toBe(200);
      expect(await first.text()).toBe("only for you");
      const headers = { "user-agent": "curl/8.0 another person's" };
      const second = await fetch(`${once.url}/download`, { redirect: "manual", headers });
      expect([second.status, second.headers.get("location")]).toEqual([410, null]);
    },
    PATIENCE,
  );

  test(
    "files move to S3 and back while serve runs, and are the same all the while",
    async () => {
      await using opened = await openS3App({ store: "disk" });
      const { app, objects } = opened;
      await app.start("--no-discord");
      const large = randomBytes(12_000_000);
      const share = await upload(app, "large.bin", large);
      const small = await upload(app, "small.txt", new TextEncoder().encode("small"));
      expect(await app.blobs()).toHaveLength(2);

      const there = await app.run("files", "migrate", "--to", "s3");
      expect(there).toMatchObject({ code: 0, stdout: "Moved 2 blobs (12 MB) to S3.\n" });
      expect(there.stderr).toContain("New files still go to the disk: set files.store to s3");
      expect(await app.blobs()).toEqual([]);
      expect(await objects()).toHaveLength(2);
      expect(await asked(app, "verify")).toEqual(sound);
      const elsewhere = await fetch(`${share}/download`);
      expect(elsewhere.redirected).toBe(true);
      expect(Buffer.from(await elsewhere.arrayBuffer()).equals(large)).toBe(true);
      const again = { to: "s3", blobs: 0, bytes: 0, failed: [] };
      expect(await asked(app, "migrate", "--to", "s3")).toEqual(again);

      expect(await asked(app, "migrate", "--to", "disk")).toMatchObject({ blobs: 2, failed: [] });
      expect(await objects()).toEqual([]);
      expect(await app.blobs()).toHaveLength(2);
      expect(await asked(app, "verify")).toEqual(sound);
      expect(await (await fetch(`${small}/download`, { redirect: "manual" })).text()).toBe("small");
    },
    PATIENCE,
  );

  test(
    "nothing is amiss for who looks while files move from one store to the other",
    async () => {
      await using opened = await openS3App({ store: "disk", presign: false });
      const { app } = opened;
      await addMany(app, 40);
      await using telemetry = await openTestTelemetry();
      const loaded = await loadConfig({ flags: {}, env: { HOME: app.folder }, cwd: app.folder });
      await using desk = await openDesk(loaded, telemetry.telemetry);
      const { signal } = new AbortController();
      let over = false;
      const moving = desk.migrate({ to: "s3", signal }).finally(() => {
        over = true;
      });
      while (!over) expect(await desk.verify({ signal })).toEqual(sound);
      expect(await moving).toMatchObject({ blobs: 40, failed: [] });
      for await (const { id, name } of desk.files.list({})) {
        const text = await (await desk.files.open(await desk.files.get(id))).text();
        expect(`${text}.txt`).toBe(`file ${name}`);
      }
    },
    PATIENCE,
  );

  test(
    "a store that is away fails the move and loses nothing; once it is back the rest goes",
    async () => {
      await using relay = await startRelay(s3.port);
      await using opened = await openS3App({ store: "disk", endpoint: relay.endpoint });
      const { app, objects } = opened;
      await addMany(app, 3);
      relay.cutAfter(0);
      const failed = await app.run("files", "migrate", "--to", "s3", "--json");
      expect(failed.code).toBe(1);
      expect(JSON.parse(failed.stdout)).toMatchObject({ blobs: 0, failed: { length: 3 } });
      expect(failed.stderr).toContain("3 blobs would not go and stayed where they were");
      expect(await app.blobs()).toHaveLength(3);
      const doctor = await app.run("doctor", "--only", "s3.reachable", "--json");
      expect(doctor.code).toBe(1);
      expect(JSON.parse(doctor.stdout)).toMatchObject([{ code: "s3.reachable", severity: "fail" }]);

      relay.mend();
      expect((await app.run("doctor", "--only", "s3.reachable")).code).toBe(0);
      expect(await asked(app, "verify")).toEqual(sound);
      expect(await asked(app, "migrate", "--to", "s3")).toMatchObject({ blobs: 3, failed: [] });
      expect(await objects()).toHaveLength(3);
    },
    PATIENCE,
  );

  test.each(["SIGINT", "SIGKILL"] as const)(
    "a move that ends by %s in the middle has lost nothing, and the next one goes on",
    async (signal) => {
      await using opened = await openS3App({ store: "disk" });
      const { app, objects } = opened;
      await addMany(app, 80);
      const child = Bun.spawn(
        [process.execPath, join(import.meta.dir, "../main.ts"), "files", "migrate", "--to", "s3"],
        { cwd: app.folder, env: cleanEnv({ cwd: app.folder }), stdout: "ignore", stderr: "pipe" },
      );
      // Each asking goes to the store and back, so there is no waiting in between.
      while ((await objects()).length < 3);
      child.kill(signal);
      expect(await child.exited).toBe(signal === "SIGINT" ? 1 : 137);
      const said = await new Response(child.stderr).text();
      if (signal === "SIGINT") expect(said).toContain("what was moved stays moved, the rest is where it was");

      const rest = await asked<{ blobs: number; failed: string[] }>(app, "migrate", "--to", "s3");
      expect(rest.failed).toEqual([]);
      expect(rest.blobs).toBeGreaterThan(0);
      expect(rest.blobs).toBeLessThan(80);
      expect(await objects()).toHaveLength(80);
      expect(await app.blobs()).toEqual([]);
      expect(await asked(app, "verify")).toEqual(sound);
    },
    PATIENCE,
  );

  test(
    "what a move left in the old place when it died right after a blob's last step is taken away by the next",
    async () => {
      await using opened = await openS3App({ store: "s3" });
      const { app, objects } = opened;
      await addMany(app, 1);
      const [key = ""] = await objects();
      const leftover = join(app.folder, "data/files", key.split("/").at(-1)?.[0] ?? "");
      await writeFile(join(leftover, key.split("/").at(-1) ?? ""), "file 0");
      expect(await app.blobs()).toHaveLength(1);
      expect(await asked(app, "migrate", "--to", "s3")).toMatchObject({ blobs: 0, failed: [] });
      expect(await app.blobs()).toEqual([]);
      expect(await asked(app, "verify")).toEqual(sound);
    },
    PATIENCE,
  );

  test(
    "a store that is away is not taken for damage: the verify fails and says why",
    async () => {
      await using relay = await startRelay(s3.port);
      await using opened = await openS3App({ store: "s3", endpoint: relay.endpoint });
      const { app } = opened;
      await addMany(app, 1);
      relay.cutAfter(0);
      const failed = await app.run("files", "verify", "--json");
      expect(failed).toMatchObject({ code: 1, stdout: "" });
      expect(failed.stderr).toContain("The file store does not answer.");
      relay.mend();
      expect(await asked(app, "verify")).toEqual(sound);
    },
    PATIENCE,
  );

  test.each([
    ["disk", "s3"],
    ["s3", "disk"],
  ] as const)(
    "an upload that was cut when files go to %s is gone on with when they go to %s, or leaves nothing",
    async (before, after) => {
      await using opened = await openS3App({ store: before });
      const { app } = opened;
      const [kept = "", dropped = ""] = await withDeskOf(app, before, async ({ files }) => {
        const keys: string[] = [];
        for (const name of ["kept.txt", "dropped.txt"]) {
          const { url } = await files.issue({ ownerId: "me" });
          const ticket = url.split("/u/")[1] ?? "";
          const { key } = await files.begin(ticket, { name, contentType: undefined, length: 10 });
          await files.append(key, 0, partOf("hello"));
          keys.push(key);
        }
        return keys;
      });
      expect(await app.blobs()).toHaveLength(2);
      await withDeskOf(app, after, async ({ files }) => {
        expect((await files.progress(kept)).received).toBe(5);
        const { file } = await files.append(kept, 5, partOf("world"));
        expect(await (await files.open(await files.get(file?.id ?? ""))).text()).toBe("helloworld");
        await files.cancel(dropped);
      });
      expect(await app.blobs()).toHaveLength(after === "disk" ? 1 : 0);
      expect(await asked(app, "verify")).toEqual(sound);
    },
    PATIENCE,
  );

  test(
    "one moves at a time: a second is refused, and serve and all else go on",
    async () => {
      await using opened = await openS3App({ store: "disk" });
      const { app } = opened;
      await addMany(app, 1);
      using _other = lockMigration(join(app.folder, "data"));
      const refused = await app.run("files", "migrate", "--to", "s3");
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain("Another wisbot files migrate is at work.");
      expect(await asked<object[]>(app, "list")).toHaveLength(1);
    },
    PATIENCE,
  );
}

const partOf = (text: string) => ({ body: new Blob([text]).stream(), signal: new AbortController().signal });

/** Works as a wisbot whose new files go to `store`, whatever its configuration says. */
async function withDeskOf<T>(
  { folder }: TestApp,
  store: "disk" | "s3",
  work: (desk: FileDesk) => Promise<T>,
): Promise<T> {
  await using telemetry = await openTestTelemetry();
  const env = { HOME: folder, WISBOT_FILES__STORE: store };
  await using desk = await openDesk(await loadConfig({ flags: {}, env, cwd: folder }), telemetry.telemetry);
  return await work(desk);
}

/** Adds so many files, each of its own content, quicker than by the command line. */
async function addMany({ folder }: TestApp, number: number): Promise<void> {
  await using telemetry = await openTestTelemetry();
  const env = { HOME: folder, WISBOT_FILES__MAX_FILES_PER_USER: "1000" };
  await using desk = await openDesk(await loadConfig({ flags: {}, env, cwd: folder }), telemetry.telemetry);
  const { signal } = new AbortController();
  for (let n = 0; n < number; n += 1) {
    const bytes = new TextEncoder().encode(`file ${n}`);
    const incoming = { name: `${n}.txt`, contentType: undefined, length: bytes.length, signal };
    await desk.files.add({ ownerId: "me" }, { ...incoming, body: new Blob([bytes]).stream() });
  }
}
