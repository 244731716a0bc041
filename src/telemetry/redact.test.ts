import { expect, test } from "bun:test";
import { S3Client } from "bun";
import fc from "fast-check";
import { configSchema } from "../config/schema.ts";
import { WisError } from "../errors.ts";
import { newCapability } from "../lib/capability.ts";
import { openTelemetry } from "./open.ts";
import { createRedactor, secretsIn } from "./redact.ts";

const { text, fields } = createRedactor([]);

const capability = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));
const urlSafe = (min: number, max: number) =>
  fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${min},${max}}$`)).filter((part) => /[A-Z\d_]/.test(part));
const botToken = fc.tuple(urlSafe(24, 28), urlSafe(6, 6), urlSafe(27, 40)).map((parts) => parts.join("."));

/** Each way that a line can carry text. */
const carriers: ((secret: string) => [fields: object, message: string])[] = [
  (secret) => [{}, `asked with ${secret} in hand`],
  (secret) => [{ note: secret }, "x"],
  (secret) => [{ deep: { list: [{ note: `a ${secret} b` }] } }, "x"],
  (secret) => [{ [`key ${secret}`]: 1 }, "x"],
  (secret) => [{ body: JSON.stringify({ nested: JSON.stringify({ secret: `<${secret}>` }) }) }, "x"],
  (secret) => [{ err: new Error(`refused ${secret}`) }, "x"],
  (secret) => [{ err: new WisError("internal", { say: "no", cause: new Error(`refused ${secret}`) }) }, "x"],
  (secret) => [
    { err: Object.assign(new Error("no"), { url: `http://x/${secret}`, stack: `at ${secret}:1` }) },
    "x",
  ],
  (secret) => [new Error(secret), "x"],
  (secret) => [{ at: { toJSON: () => ({ inside: secret }) } }, "x"],
  (secret) => [{ address: new URL(`http://x/?q=${encodeURIComponent(secret)}`) }, "x"],
];

async function logged(format: "json" | "pretty", secret: string, secrets: string[]): Promise<string> {
  let output = "";
  const telemetry = await openTelemetry({
    config: configSchema.parse({ log: { format, level: "debug" }, telemetry: { metrics: false } }),
    version: "1",
    secrets,
    env: {},
    logTo: { write: (line) => (output += line) },
  });
  for (const carry of carriers) telemetry.log.info(...carry(secret));
  const cause = new Error(`refused ${secret}`);
  telemetry.record(new WisError("internal", { say: `no ${secret}`, cause }), `asking with ${secret}`);
  await telemetry.shutdown();
  return output;
}

test("a registered secret of any characters appears nowhere in the log, in no format", async () => {
  const anySecret = fc.string({ unit: "grapheme", minLength: 8, maxLength: 40 }).filter(
    // It must be recognisable in the output: not made of what every line has.
    (secret) => secret.trim().length >= 8 && !/^[\s\d:."{}[\],-]+$/.test(secret),
  );
  await fc.assert(
    fc.asyncProperty(
      anySecret,
      fc.constantFrom("json" as const, "pretty" as const),
      async (secret, format) => {
        const output = await logged(format, secret, [secret]);
        expect(output.includes(secret)).toBe(false);
        expect(output.includes(JSON.stringify(secret).slice(1, -1))).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
});

test("a bot token appears nowhere in the log, though nobody registered it", async () => {
  await fc.assert(
    fc.asyncProperty(botToken, async (token) => {
      expect((await logged("json", token, [])).includes(token)).toBe(false);
    }),
    { numRuns: 40 },
  );
});

test("a link that is a capability keeps four characters to tell it apart", async () => {
  await fc.assert(
    fc.asyncProperty(
      capability,
      fc.constantFrom("/u/", "/f/", "%2Fu%2F", "/data/blobs/ab/"),
      async (id, before) => {
        const output = await logged("json", `${before}${id}`, []);
        expect(output.includes(id)).toBe(false);
        expect(output.includes(`${before}${id.slice(0, 4)}…`)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test("a presigned URL appears nowhere whole in the log: not its signature, its key's id or its object", async () => {
  const part = fc.stringMatching(/^[A-Z0-9]{20}$/);
  await fc.assert(
    fc.asyncProperty(part, capability, async (accessKeyId, key) => {
      const service = { endpoint: "http://127.0.0.1:9000", bucket: "files", region: "eu-west-1" };
      const client = new S3Client({ ...service, accessKeyId, secretAccessKey: "quite-a-secret" });
      const url = client.presign(key, { contentDisposition: 'attachment; filename="a&b.txt"' });
      const signature = new URL(url).searchParams.get("X-Amz-Signature") ?? "";
      expect(signature).toHaveLength(64);
      for (const format of ["json", "pretty"] as const) {
        const output = await logged(format, url, []);
        for (const secret of [signature, accessKeyId, key]) expect(output.includes(secret)).toBe(false);
        expect(output).toContain("X-Amz-Expires=86400");
      }
    }),
    { numRuns: 30 },
  );
});

test("a field that is a capability, or named like a secret, is not shown", () => {
  const id = newCapability();
  expect(fields({ file: id })).toEqual({ file: `${id.slice(0, 4)}…` });
  const headers = { Authorization: "x", "set-cookie": ["a", "b"], "x-api-key": "k", accept: "text/html" };
  expect(fields({ headers, interactionToken: "abc", password: { a: 1 }, ticket: "t" })).toEqual({
    headers: {
      Authorization: "[redacted]",
      "set-cookie": "[redacted]",
      "x-api-key": "[redacted]",
      accept: "text/html",
    },
    interactionToken: "[redacted]",
    password: "[redacted]",
    ticket: "[redacted]",
  });
});

test("counts, ids of Discord, hashes, source lines and ordinary words stay readable", () => {
  const plain = [
    "at handleInteractionError (/srv/wisbot/src/discord/dispatch.ts:10:5)",
    "at run (/srv/src/handleInteractionErrors.ts:10:5)",
    "at x (/srv/node_modules/rate-limiter-flexible/index.js:1:1)",
    "channel 123456789012345678, guild 987654321098765432",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "Bot connected to 2 servers; Basic knowledge",
    "GET /f/:id/download 200",
    "http://127.0.0.1:11434/api/chat?model=llama3.2",
  ];
  for (const line of plain) expect(text(line)).toBe(line);
  expect(fields({ inputTokens: 12, max_tokens: 5, ok: true, none: null, big: 5n })).toEqual({
    inputTokens: 12,
    max_tokens: 5,
    ok: true,
    none: null,
    big: "5",
  });
});

test("addresses lose their passwords, signatures and interaction tokens", () => {
  const token = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4";
  expect(text("https://user:hunter22@host/x")).toBe("https://[redacted]@host/x");
  expect(text("https://cdn.discordapp.com/a/b.png?ex=1&hm=abcdef&x=1")).toBe(
    "https://cdn.discordapp.com/a/b.png?ex=1&hm=[redacted]&x=1",
  );
  expect(text(`https://discord.com/api/v10/webhooks/123456789012345678/${token}/messages/@original`)).toBe(
    "https://discord.com/api/v10/webhooks/123456789012345678/[redacted]/messages/@original",
  );
  expect(text(`POST /interactions/123456789012345678/${token}/callback`)).not.toContain(token);
  expect(text("authorization: Bearer abcdefgh.ijk")).toBe("authorization: Bearer [redacted]");
  expect(text(`token wis_${"aB3-_".repeat(9)} of ada`)).toBe("token [redacted] of ada");
});

test("what signs a request to S3 is not shown, in a URL, in another's query, in its XML or in a header", () => {
  const url = "http://s3/b/k?X-Amz-Credential=AKIA%2F20260101&X-Amz-Expires=60&X-Amz-Signature=0a1b";
  const shown = "http://s3/b/k?X-Amz-Credential=[redacted]&X-Amz-Expires=60&X-Amz-Signature=[redacted]";
  expect(text(url)).toBe(shown);
  expect(text(url.replaceAll("&", "&amp;"))).toBe(shown.replaceAll("&", "&amp;"));
  const inside = text(`http://x/?to=${encodeURIComponent(url)}&then=1`);
  expect(inside).toEndWith(
    "Credential%3D[redacted]%26X-Amz-Expires%3D60%26X-Amz-Signature%3D[redacted]&then=1",
  );
  expect(text(`http://x/?to=${encodeURIComponent(encodeURIComponent(url))}`)).not.toMatch(/AKIA|0a1b/);
  expect(text("?X-Amz-Security-Token=Fwo%2BGZXI&a=1")).toBe("?X-Amz-Security-Token=[redacted]&a=1");
  const header =
    "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=0a1b";
  expect(text(header)).toBe(
    "AWS4-HMAC-SHA256 Credential=[redacted], SignedHeaders=host, Signature=[redacted]",
  );
});

test("what can't be printed does not stop a line", () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  const deep = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
  expect(fields({ loop })).toEqual({ loop: { self: "[circular]" } });
  expect(JSON.stringify(fields(deep))).toContain("[too deep]");
  expect(fields({ bytes: new Uint8Array(3) })).toEqual({ bytes: "[3 bytes]" });
});

test("the environment's secrets are found by their names", () => {
  const env = {
    DISCORD_TOKEN: "one",
    DB_PASSWORD: "two",
    OTEL_EXPORTER_OTLP_HEADERS: "a=three",
    PATH: "/bin",
  };
  expect(secretsIn(env)).toEqual(["one", "two", "a=three"]);
});
