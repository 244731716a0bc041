import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { WisError } from "../errors.ts";
import {
  bodyOf,
  codeOf,
  givenBack,
  incoming,
  openTestDesk,
  slowBody,
  type TestDesk,
  ticketIn,
  traceOf,
} from "../testing/file-desk.ts";

const owner = "111111111111111111";

const newTicket = async (desk: TestDesk) => ticketIn(await desk.files.issue({ ownerId: owner }));

const KB = "x".repeat(1000);

describe("a body that is not what it should be gives its ticket back", () => {
  const cases: [string, string, Parameters<typeof incoming>[0]][] = [
    ["shorter than it said", "upload.length_mismatch", { text: "four", length: 5 }],
    ["longer than it said", "upload.length_mismatch", { text: "sixsix", length: 5 }],
    ["said to be too large", "file.too_large", { text: "x", length: 100_001 }],
    ["too large without saying", "file.too_large", { body: bodyOf(Array(101).fill(KB)), length: undefined }],
    [
      "too large in tiny chunks",
      "file.too_large",
      { body: bodyOf(Array(100_001).fill("x")), length: undefined },
    ],
    ["said to be beyond the quota", "quota.bytes", { text: KB.repeat(60) }],
    [
      "beyond the quota without saying",
      "quota.bytes",
      { body: bodyOf(Array(60).fill(KB)), length: undefined },
    ],
    ["beyond the quota in one chunk", "quota.bytes", { body: bodyOf([KB.repeat(60)]), length: undefined }],
  ];
  test.each(cases)("%s: %s", async (_, code, given) => {
    const maxBytes = code === "quota.bytes" ? 50_000 : 1e9;
    await using desk = await openTestDesk({ limits: { maxFileSize: 100_000, maxBytes } });
    const ticket = await newTicket(desk);
    expect(await codeOf(desk.files.upload(ticket, incoming(given)))).toBe(code);
    expect(await traceOf(desk, ticket)).toEqual(givenBack);
  });
});

test("an upload of unknown length may fill the quota to the last byte", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 3_000_000, maxFileSize: 3_000_000 } });
  const body = bodyOf(Array(3000).fill(KB));
  const file = await desk.files.upload(await newTicket(desk), incoming({ body, length: undefined }));
  expect(file.size).toBe(3_000_000);
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 3_000_000 });
});

test("a ready file has only its own bytes reserved, not the step ahead", async () => {
  await using desk = await openTestDesk();
  await desk.files.upload(await newTicket(desk), incoming({ text: "12345", length: undefined }));
  expect((await desk.files.usage(owner)).bytes).toBe(5);
});

test("a cut upload gives its ticket back, and the same link takes the file", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const sender = slowBody();
  const connection = new AbortController();
  const upload = desk.files.upload(
    ticket,
    incoming({ body: sender.body, length: 10, signal: connection.signal }),
  );
  await sender.wanted();
  sender.send("half");
  await sender.wanted();
  connection.abort();
  expect(await codeOf(upload)).toBe("upload.cut");
  await sender.cancelled;
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
  expect((await desk.files.upload(ticket, incoming())).size).toBe(5);
});

test("a body that breaks is a cut upload, with what broke it as the cause", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const sender = slowBody();
  const upload = desk.files.upload(ticket, incoming({ body: sender.body, length: 10 }));
  await sender.wanted();
  sender.send("half");
  await sender.wanted();
  sender.break(new Error("ECONNRESET"));
  await expect(upload).rejects.toMatchObject({ code: "upload.cut", cause: { message: "ECONNRESET" } });
  await Promise.allSettled([upload]);
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
});

test("an abort that says why is passed on", async () => {
  await using desk = await openTestDesk();
  const sender = slowBody();
  const stop = new AbortController();
  const upload = desk.files.add({ ownerId: owner }, incoming({ body: sender.body, signal: stop.signal }));
  await sender.wanted();
  stop.abort(new WisError("shutting_down", { say: "WisBot is being stopped." }));
  expect(await codeOf(upload)).toBe("shutting_down");
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a body that was aborted before it began leaves nothing", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  expect(await codeOf(desk.files.upload(ticket, incoming({ signal: AbortSignal.abort() })))).toBe(
    "upload.cut",
  );
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
});

test("a refused body is let go unread", async () => {
  await using desk = await openTestDesk();
  const sender = slowBody();
  await codeOf(desk.files.upload("x".repeat(22), incoming({ body: sender.body })));
  expect(await sender.cancelled).toMatchObject({ code: "ticket.unknown" });
});

test("a stalled or crawling sender is cut, and its ticket given back", async () => {
  const paceRules = { stall: 30_000, window: 60_000, minBytesPerSecond: 1000 };
  for (const text of ["", "a few bytes"]) {
    await using desk = await openTestDesk({ paceRules });
    const ticket = await newTicket(desk);
    const sender = slowBody();
    const upload = desk.files.upload(ticket, incoming({ body: sender.body, length: 50 }));
    await sender.wanted();
    if (text) {
      desk.clock.now += 25_000;
      sender.send(text);
      await sender.wanted();
    }
    desk.clock.now += 29_999;
    desk.beat();
    expect(await desk.files.inspect(ticket)).toEqual({ state: "busy" });
    desk.clock.now += 1;
    desk.beat();
    expect(await codeOf(upload)).toBe("upload.slow");
    expect(await traceOf(desk, ticket)).toEqual(givenBack);
  }
});

test("of a hundred uploads at once on one ticket exactly one wins, and the others are told why", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const texts = Array.from({ length: 100 }, (_, i) => `sender ${i}`);
  const all = await Promise.allSettled(texts.map((text) => desk.files.upload(ticket, incoming({ text }))));
  const won = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const lost = all.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
  expect(won).toHaveLength(1);
  expect(lost.filter((code) => code === "ticket.busy" || code === "ticket.used")).toHaveLength(99);
  const [file] = won;
  if (!file) throw new Error("nobody won");
  const index = all.findIndex(({ status }) => status === "fulfilled");
  expect(await (await desk.files.open(file)).text()).toBe(texts[index] ?? "");
  expect(await desk.verify()).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
});

test("uploads at once never pass the quota of bytes together", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 100 } });
  const adds = Array.from({ length: 50 }, (_, i) =>
    desk.files.add({ ownerId: owner }, incoming({ text: "0123456789", ...(i % 2 && { length: undefined }) })),
  );
  const done = (await Promise.allSettled(adds)).filter(({ status }) => status === "fulfilled");
  expect(await desk.files.usage(owner)).toEqual({ files: done.length, bytes: done.length * 10 });
  expect(done.length).toBeLessThanOrEqual(10);
  expect(done.length).toBeGreaterThan(0);
});

test("however a body is cut into chunks, what is stored is what was sent", async () => {
  await using desk = await openTestDesk();
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 700_000 })), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.boolean(), async (lengths, said) => {
      const chunks = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
      const whole = Buffer.concat(chunks);
      const length = said ? whole.length : undefined;
      const file = await desk.files.add({ ownerId: "x" }, incoming({ body: bodyOf(chunks), length }));
      expect(file.size).toBe(whole.length);
      expect(file.sha256).toBe(createHash("sha256").update(whole).digest("hex"));
      expect(Buffer.from(await (await desk.files.open(file)).arrayBuffer()).equals(whole)).toBe(true);
      await desk.files.remove(file.id, "admin");
    }),
    { numRuns: 40 },
  );
});

test("whatever members do, nobody ever has more files or bytes than the limits say", async () => {
  const limits = { maxFiles: 4, maxBytes: 1000, maxFileSize: 600 };
  await using desk = await openTestDesk({ limits });
  let run = 0;
  const step = fc.record({
    kind: fc.constantFrom("issue", "add", "addUnknown", "upload", "remove", "wait", "cleanUp"),
    size: fc.integer({ min: 0, max: 700 }),
    pick: fc.nat(20),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      run += 1;
      const ownerId = `somebody-${run}`;
      const tickets: string[] = [];
      const ids: string[] = [];
      const acts: Record<string, (size: number, pick: number) => Promise<unknown>> = {
        issue: async () => tickets.push(ticketIn(await desk.files.issue({ ownerId }))),
        add: async (size) =>
          ids.push((await desk.files.add({ ownerId }, incoming({ text: "x".repeat(size) }))).id),
        addUnknown: (size) =>
          desk.files.add({ ownerId }, incoming({ text: "x".repeat(size), length: undefined })),
        upload: (size, pick) =>
          desk.files.upload(tickets[pick % tickets.length] ?? "", incoming({ text: "x".repeat(size) })),
        remove: (_, pick) => desk.files.remove(ids[pick % ids.length] ?? "", "admin"),
        wait: async (size) => {
          desk.clock.now += size * 10_000_000;
        },
        cleanUp: () => desk.cleanUp(),
      };
      for (const { kind, size, pick } of steps) {
        const outcome = await codeOf(acts[kind]?.(size, pick) ?? Promise.resolve());
        expect(outcome).toBeString();
        const { files, bytes } = await desk.files.usage(ownerId);
        expect(files).toBeLessThanOrEqual(limits.maxFiles);
        expect(bytes).toBeLessThanOrEqual(limits.maxBytes);
      }
      expect(await desk.verify()).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
    }),
    { numRuns: 25 },
  );
}, 20_000);
