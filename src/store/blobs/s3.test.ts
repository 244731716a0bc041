import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { S3Client } from "bun";
import { create as contentDisposition } from "content-disposition";
import { isWisError } from "../../errors.ts";
import { newCapability } from "../../lib/capability.ts";
import { findS3Server, S3_SERVER_PACKAGE, startRelay, startS3, type TestS3 } from "../../testing/s3.ts";
import { testFolder } from "../open-test-store.ts";
import { blobStoreContract } from "./contract.ts";
import { openS3Blobs, type S3BlobsOptions } from "./s3.ts";

// As the gate has it: the server is on this machine too, and takes its share of a busy one.
setDefaultTimeout(20_000);

const python = findS3Server();
const server = python === undefined ? undefined : await startS3(python);
// Thousands of small files go with it.
afterAll(() => server?.[Symbol.asyncDispose](), 60_000);

if (server) describe("S3", () => promises(server));
else test.skip(`S3: no server to test against; apt-get install ${S3_SERVER_PACKAGE}`, () => {});

const MB = 1_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);

function promises(s3: TestS3) {
  /** A store with a prefix and a staging folder of its own. */
  async function openTestBlobs(given: Partial<S3BlobsOptions> = {}) {
    const folder = await testFolder();
    const options = {
      ...s3,
      prefix: `instances/${newCapability()}`,
      staging: join(folder.path, "staging"),
      ...given,
    };
    return {
      ...options,
      blobs: await openS3Blobs(options),
      crash: () => openS3Blobs(options),
      staged: () => readdir(options.staging),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  }

  /** The bucket as its owner sees it, without wisbot. */
  const bucket = new S3Client(s3);

  async function put(blobs: Awaited<ReturnType<typeof openS3Blobs>>, text: string) {
    const key = newCapability();
    const writer = await blobs.create(key);
    await writer.write(bytes(text));
    await writer.commit();
    return key;
  }

  async function failure(work: Promise<unknown>) {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!isWisError(error)) throw new Error("no WisError", { cause: error });
    return error;
  }

  blobStoreContract(openTestBlobs);

  test("a wrong secret is refused in a plain sentence, whatever is asked, and shown nowhere", async () => {
    const secretAccessKey = "quite-another-secret";
    await using opened = await openTestBlobs({ secretAccessKey });
    const { blobs } = opened;
    const key = newCapability();
    const writer = await blobs.create(key);
    await writer.write(bytes("bytes"));
    for (const work of [
      () => writer.commit(),
      () => blobs.open(key),
      () => blobs.delete(newCapability()),
      () => Array.fromAsync(blobs.keys()),
    ]) {
      const error = await failure(work());
      expect(error.code).toBe("disk.failed");
      expect(error.say).toBe("The file store refused WisBot's access key.");
      expect(Bun.inspect(error)).not.toContain(secretAccessKey);
    }
    await writer.abort();
  });

  test.each([
    ["bucket", "no-such-bucket", "The file store has no such bucket."],
    ["region", "eu-nowhere-1", "The file store lies in another region."],
    ["endpoint", "http://127.0.0.1:9", "The file store does not answer."],
  ])("a wrong %s is said", async (field, value, say) => {
    await using opened = await openTestBlobs({ [field]: value });
    const { blobs } = opened;
    const asked = [
      () => blobs.open(newCapability()),
      () => Array.fromAsync(blobs.keys()),
      () => put(blobs, "x"),
    ];
    for (const work of asked) expect(await failure(work())).toMatchObject({ code: "disk.failed", say });
  });

  test("a large blob goes in parts, and is the same afterwards", async () => {
    await using opened = await openTestBlobs({ partSize: 5 * 2 ** 20 });
    const key = newCapability();
    const writer = await opened.blobs.create(key);
    const sent = new Bun.CryptoHasher("sha256");
    for (let i = 0; i < 17; i += 1) {
      const chunk = crypto.getRandomValues(new Uint8Array(65_536));
      for (let j = 0; j < 16; j += 1) {
        sent.update(chunk);
        await writer.write(chunk);
      }
    }
    await writer.commit();
    // S3 marks what came in parts with their number.
    expect((await bucket.stat(`${opened.prefix}/${key}`)).etag).toEndWith('-4"');
    const got = new Bun.CryptoHasher("sha256");
    for await (const part of (await opened.blobs.open(key))?.stream() ?? []) got.update(part);
    expect(got.digest("hex")).toBe(sent.digest("hex"));
    expect(await opened.staged()).toEqual([]);
  });

  test("a store that goes away in the middle of a commit costs nothing: it is committed again once it is back", async () => {
    await using relay = await startRelay(s3.port);
    await using opened = await openTestBlobs({ endpoint: relay.endpoint, partSize: 5 * 2 ** 20 });
    const key = newCapability();
    const whole = crypto.getRandomValues(new Uint8Array(65_536));
    const writer = await opened.blobs.create(key);
    for (let i = 0; i < 300; i += 1) await writer.write(whole);

    relay.cutAfter(8 * MB);
    const error = await failure(writer.commit());
    expect(error).toMatchObject({ code: "disk.failed", say: "The file store does not answer." });
    expect(await bucket.exists(`${opened.prefix}/${key}`)).toBe(false);
    expect(await opened.staged()).toHaveLength(1);

    relay.mend();
    await writer.commit();
    expect((await opened.blobs.open(key))?.size).toBe(300 * whole.length);
    expect(await opened.staged()).toEqual([]);
  });

  test("what a process that died in its commit has staged is committed by the next", async () => {
    await using relay = await startRelay(s3.port);
    await using opened = await openTestBlobs({ endpoint: relay.endpoint });
    const key = newCapability();
    const writer = await opened.blobs.create(key);
    await writer.write(bytes("whole"));
    relay.cutAfter(0);
    await failure(writer.commit());
    relay.mend();
    const blobs = await opened.crash();
    const found = await blobs.resume(key);
    expect(found?.size).toBe(5);
    await found?.writer.commit();
    expect(await (await blobs.open(key))?.text()).toBe("whole");
  });

  test("a blob that is deleted while it is being sent stays deleted", async () => {
    await using opened = await openTestBlobs();
    const key = newCapability();
    const writer = await opened.blobs.create(key);
    await writer.write(new Uint8Array(20 * MB));
    const committing = failure(writer.commit());
    // Whenever it comes, before the file is opened or after the last byte, nothing is left.
    await opened.blobs.delete(key);
    expect(await committing).toMatchObject({ code: "disk.failed" });
    expect(await opened.blobs.open(key)).toBeUndefined();
    expect(await opened.staged()).toEqual([]);
  });

  test("two instances share a bucket, and neither they nor a stranger's objects are listed or deleted by the other", async () => {
    await using one = await openTestBlobs();
    await using other = await openTestBlobs({ prefix: `${one.prefix}-2` });
    const key = newCapability();
    const strangers = [key, `${one.prefix}/notes.txt`, `${one.prefix}/nested/${key}`, `${one.prefix}${key}`];
    for (const name of strangers) await bucket.write(name, "a stranger's");
    const [mine, theirs] = [await put(one.blobs, "one"), await put(other.blobs, "other")];
    expect(await Array.fromAsync(one.blobs.keys())).toEqual([mine]);
    await one.blobs.delete(theirs);
    await one.blobs.delete(key);
    expect(await one.blobs.open(theirs)).toBeUndefined();
    expect(await (await other.blobs.open(theirs))?.text()).toBe("other");
    for (const name of strangers) expect(await bucket.file(name).text()).toBe("a stranger's");
  });

  test("more keys than a page holds are all listed", async () => {
    await using opened = await openTestBlobs();
    const keys = Array.from({ length: 120 }, newCapability);
    await Promise.all(keys.map((key) => bucket.write(`${opened.prefix}/${key}`, "x")));
    const listed = await Array.fromAsync(opened.blobs.keys());
    expect(listed.toSorted()).toEqual(keys.toSorted());
  });

  test("a presigned URL downloads under the right name without wisbot, in ranges too, and names no secret", async () => {
    await using opened = await openTestBlobs();
    const key = await put(opened.blobs, "<script>alert(1)</script>");
    const disposition = contentDisposition('Ünïcode "quoted" & more.html');
    const as = { disposition, contentType: "application/octet-stream", expiresInSeconds: 60 };
    const url = opened.blobs.presign(key, as) ?? "";
    expect(url).not.toContain(s3.secretAccessKey);

    const whole = await fetch(url);
    expect(whole.status).toBe(200);
    expect(whole.headers.get("content-disposition")).toBe(disposition);
    expect(whole.headers.get("content-type")).toBe("application/octet-stream");
    expect(await whole.text()).toBe("<script>alert(1)</script>");
    const part = await fetch(url, { headers: { range: "bytes=1-6" } });
    expect([part.status, await part.text()]).toEqual([206, "script"]);
  });

  test("a presigned URL is good for its blob, its name and reading alone, and expires", async () => {
    await using opened = await openTestBlobs();
    const [key, other] = [await put(opened.blobs, "one"), await put(opened.blobs, "other")];
    const as = { disposition: "attachment", contentType: "text/plain", expiresInSeconds: 60 };
    const url = opened.blobs.presign(key, as) ?? "";
    expect((await fetch(url.replace(key, other))).status).toBe(403);
    expect((await fetch(url.replace("=attachment", "=inline"))).status).toBe(403);
    expect((await fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))).status).toBe(403);
    expect((await fetch(url, { method: "PUT", body: "mine now" })).status).toBe(403);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    // Swift takes what nobody signed for a request in its own language, and understands nothing.
    expect((await fetch(`${s3.endpoint}/${s3.bucket}/${opened.prefix}/${key}`)).status).toBe(400);
    const short = opened.blobs.presign(key, { ...as, expiresInSeconds: 1 }) ?? "";
    while ((await fetch(short)).status === 200) await Bun.sleep(50);
    expect((await fetch(short)).status).toBe(403);
    const longest = opened.blobs.presign(key, { ...as, expiresInSeconds: 1e9 }) ?? "";
    expect(new URL(longest).searchParams.get("X-Amz-Expires")).toBe("604800");
    expect((await fetch(longest)).status).toBe(200);
  });

  test("a range is fetched alone", async () => {
    await using opened = await openTestBlobs();
    const key = await put(opened.blobs, "0123456789");
    const part = await opened.blobs.open(key, { start: 3, end: 6 });
    expect(part?.size).toBe(4);
    expect(await part?.text()).toBe("3456");
    expect(Buffer.concat(await Array.fromAsync(part?.stream() ?? [])).toString()).toBe("3456");
  });
}
