import { afterAll, describe, expect, test } from "bun:test";
import type { Config } from "../../config/schema.ts";
import { findS3Server, S3_SERVER_PACKAGE, startS3, type TestS3 } from "../../testing/s3.ts";
import { checkS3 } from "./s3-check.ts";

type S3 = NonNullable<Config["files"]["s3"]>;

const python = findS3Server();
const server = python === undefined ? undefined : await startS3(python);
afterAll(() => server?.[Symbol.asyncDispose]());

if (server) describe("S3", () => promises(server));
else test.skip(`S3: no server to test against; apt-get install ${S3_SERVER_PACKAGE}`, () => {});

function promises({ endpoint, bucket, region, accessKeyId, secretAccessKey }: TestS3) {
  const right: S3 = {
    endpoint,
    bucket,
    region,
    prefix: "wisbot",
    access_key_id: accessKeyId,
    secret_access_key: secretAccessKey,
    presign: true,
  };

  test("a store that answers is ok", async () => {
    const detail = `Bucket ${bucket} at ${endpoint} answers and lets wisbot in.`;
    expect(await checkS3(right)).toEqual({ severity: "ok", detail });
    expect(await checkS3({ ...right, endpoint: `${endpoint}/` })).toMatchObject({ severity: "ok" });
  });

  test.each<[Partial<S3>, string, string]>([
    [{ secret_access_key: "another" }, "refuses the access key", "files.s3.secret_access_key"],
    [{ access_key_id: "another" }, "refuses the access key", "files.s3.access_key_id"],
    [{ bucket: "no-such-bucket" }, "no such bucket", "files.s3.bucket"],
    [{ region: "eu-nowhere-1" }, "another region", "files.s3.region"],
    [{ endpoint: endpoint.replace("http:", "https:") }, "no encrypted connection", "files.s3.endpoint"],
  ])("%j is said with the key to correct", async (wrong, detail, fix) => {
    const finding = await checkS3({ ...right, ...wrong });
    expect(finding).toMatchObject({
      severity: "fail",
      detail: expect.stringContaining(detail),
      fix: expect.stringContaining(fix),
    });
    expect(JSON.stringify(finding)).not.toContain(secretAccessKey);
  });
}

const somewhere = (endpoint: string): S3 => ({
  endpoint,
  bucket: "files",
  region: "us-east-1",
  prefix: "wisbot",
  access_key_id: "key",
  secret_access_key: "secret",
  presign: true,
});

test("nothing configured is nothing to check", async () => {
  expect(await checkS3(undefined)).toMatchObject({ severity: "skip" });
});

test("an endpoint where nothing listens, or whose name is none, is said", async () => {
  expect(await checkS3(somewhere("http://127.0.0.1:9"))).toEqual({
    severity: "fail",
    detail: "Bucket files at http://127.0.0.1:9: nothing answers there.",
    fix: "Correct files.s3.endpoint, or see why this machine does not reach it.",
  });
  expect(await checkS3(somewhere("http://no-such-host.invalid"))).toMatchObject({
    severity: "fail",
    detail: expect.stringContaining("can't be resolved"),
  });
});

test("a web server that is no S3 service is told apart from an empty bucket", async () => {
  for (const answer of [new Response("<html></html>"), new Response("not here", { status: 404 })]) {
    await using web = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => answer.clone() });
    expect(await checkS3(somewhere(`http://127.0.0.1:${web.port}`))).toMatchObject({
      severity: "fail",
      detail: expect.stringContaining("no S3 service"),
    });
  }
});

test("a service that takes the question and says nothing fails within doctor's 5 s", async () => {
  using silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const started = performance.now();
  expect(await checkS3(somewhere(`http://127.0.0.1:${silent.port}`))).toMatchObject({
    severity: "fail",
    detail: expect.stringContaining("no answer within 4 s"),
  });
  expect(performance.now() - started).toBeLessThan(4_900);
}, 8_000);
