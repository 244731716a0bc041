import { expect, test } from "bun:test";
import {
  codeOf,
  givenBack,
  incoming,
  openTestDesk,
  slowBody,
  ticketIn,
  traceOf,
} from "../testing/file-desk.ts";
import { append, appendBody, begin, contentOf, newTicket, owner, sha256 } from "../testing/resumable.ts";
import { uploadPace } from "./pace.ts";

const DAY = 86_400_000;

test("of two who send the same upload at once the second is told to wait, and the first ends it", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const { key } = await begin(desk, ticket, 5);
  const sender = slowBody();
  const first = appendBody(desk, key, sender.body);
  await sender.wanted();
  expect(await codeOf(append(desk, key, 0, "HELLO"))).toBe("ticket.busy");
  expect(await codeOf(begin(desk, ticket, 5))).toBe("ticket.busy");
  expect(await codeOf(desk.files.upload(ticket, incoming()))).toBe("ticket.busy");
  sender.send("hello");
  sender.end();
  expect((await first).file?.sha256).toBe(sha256("hello"));
});

test("of a hundred parts at once for one place exactly one is taken", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), 9);
  const texts = Array.from({ length: 100 }, (_, i) => `sender ${String(i).padStart(2, "0")}`);
  const all = await Promise.allSettled(texts.map((text) => append(desk, key, 0, text)));
  const won = all.flatMap((one, i) => (one.status === "fulfilled" ? [texts[i] ?? ""] : []));
  expect(won).toHaveLength(1);
  const { file } = await desk.files.progress(key);
  expect(file?.sha256).toBe(sha256(won[0] ?? ""));
});

test("an upload that nobody is sending gives way to whoever begins anew, with all it had", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const first = await begin(desk, ticket, 1000);
  await append(desk, first.key, 0, "hello");
  const second = await begin(desk, ticket, 5);
  expect(await codeOf(desk.files.progress(first.key))).toBe("upload.unknown");
  expect(await codeOf(append(desk, first.key, 5, "world"))).toBe("upload.unknown");
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 5 });
  expect((await append(desk, second.key, 0, "other")).file?.sha256).toBe(sha256("other"));
  expect(await desk.blobs.sweep(() => false)).toBe(0);
});

test("it gives way to a plain upload through its link too", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const { key } = await begin(desk, ticket, 1000);
  await append(desk, key, 0, "hello");
  expect((await desk.files.upload(ticket, incoming({ text: "plain" }))).sha256).toBe(sha256("plain"));
  expect(await codeOf(desk.files.progress(key))).toBe("upload.unknown");
  expect(await desk.blobs.sweep(() => false)).toBe(0);
});

test("it gives way after its link's end too, as long as it could be gone on with itself", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const { key } = await begin(desk, ticket, 1000);
  await append(desk, key, 0, "hello");
  desk.clock.now += DAY / 2;
  const second = await begin(desk, ticket, 5);
  expect((await append(desk, second.key, 0, "other")).file?.sha256).toBe(sha256("other"));
});

test("it gives way to nothing that there is no room for", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 1000 } });
  const ticket = await newTicket(desk);
  const { key } = await begin(desk, ticket, 10);
  await append(desk, key, 0, "hello");
  expect(await codeOf(begin(desk, ticket, 1001))).toBe("quota.bytes");
  expect((await append(desk, key, 5, "world")).file?.sha256).toBe(sha256("helloworld"));
});

test("a cut upload can be gone on with as long as it is said, counted from its last byte; then all of it goes", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const { key } = await begin(desk, ticketIn(link), 100);
  desk.clock.now += DAY - 1;
  await append(desk, key, 0, "hello");
  desk.clock.now += DAY - 1;
  expect(await desk.cleanUp()).toMatchObject({ abandoned_uploads: 0, expired_links: 0 });
  expect((await desk.files.progress(key)).received).toBe(5);
  expect(await desk.files.inspect(ticketIn(link))).toMatchObject({ state: "open" });
  desk.clock.now += 1;
  expect(await codeOf(desk.files.progress(key))).toBe("upload.unknown");
  expect(await codeOf(append(desk, key, 5, "world"))).toBe("upload.unknown");
  expect(await desk.cleanUp()).toMatchObject({ abandoned_uploads: 1, bytes: 100 });
  expect(await desk.blobs.sweep(() => false)).toBe(0);
  expect((await desk.files.usage(owner)).bytes).toBe(0);
  await desk.cleanUp();
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  expect(await desk.files.inspect(ticketIn(link))).toMatchObject({ state: "expired" });
});

test("one that is being sent outlives its link and its time to go on", async () => {
  await using desk = await openTestDesk({ paceRules: { ...uploadPace, stall: 10 * DAY, window: 10 * DAY } });
  const { key } = await begin(desk, await newTicket(desk), 5);
  const sender = slowBody();
  const going = appendBody(desk, key, sender.body);
  await sender.wanted();
  desk.clock.now += 3 * DAY;
  expect(await desk.cleanUp()).toMatchObject({ abandoned_uploads: 0, expired_links: 0 });
  desk.beat();
  sender.send("hello");
  sender.end();
  expect((await going).file?.size).toBe(5);
});

test("cancelling takes everything away and gives the link back", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const { key } = await begin(desk, ticket, 100);
  await append(desk, key, 0, "hello");
  await desk.files.cancel(key);
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
  expect(await codeOf(desk.files.cancel(key))).toBe("upload.unknown");
  expect((await desk.files.upload(ticket, incoming())).size).toBe(5);
});

test("one that is cancelled while it is being sent ends as unknown, and leaves nothing", async () => {
  await using desk = await openTestDesk();
  const ticket = await newTicket(desk);
  const { key } = await begin(desk, ticket, 5);
  const sender = slowBody();
  const going = appendBody(desk, key, sender.body);
  await sender.wanted();
  await desk.files.cancel(key);
  sender.send("hello");
  sender.end();
  expect(await codeOf(going)).toBe("upload.unknown");
  expect(await traceOf(desk, ticket)).toEqual(givenBack);
});

test("what is finished can't be changed", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), 5);
  const { file } = await append(desk, key, 0, "hello");
  expect(await codeOf(append(desk, key, 5, "more"))).toBe("upload.finished");
  expect(await codeOf(append(desk, key, 0, "HELLO"))).toBe("upload.finished");
  expect(await codeOf(desk.files.cancel(key))).toBe("upload.finished");
  expect((await contentOf(desk, file?.id ?? "")).toString()).toBe("hello");
});

test("a part for another place than the end is refused, and the sender is told where that is", async () => {
  await using desk = await openTestDesk();
  const { key } = await begin(desk, await newTicket(desk), 10);
  await append(desk, key, 0, "hello");
  for (const offset of [0, 4, 6, 10]) {
    await expect(append(desk, key, offset, "x")).rejects.toMatchObject({
      code: "upload.offset",
      say: `The upload goes on at byte 5, not at ${offset}.`,
    });
  }
  expect((await append(desk, key, 5, "world")).file?.sha256).toBe(sha256("helloworld"));
});

test.each(["", "short", "../../etc/passwd", "x".repeat(22), `${"x".repeat(22)}\0`])(
  "%j is no upload",
  async (nonsense) => {
    await using desk = await openTestDesk();
    expect(await codeOf(desk.files.progress(nonsense))).toBe("upload.unknown");
    expect(await codeOf(append(desk, nonsense, 0, "x"))).toBe("upload.unknown");
    expect(await codeOf(desk.files.announce(nonsense, 1))).toBe("upload.unknown");
    expect(await codeOf(desk.files.cancel(nonsense))).toBe("upload.unknown");
  },
);

test("a plain upload's place is no address of a resumable one", async () => {
  await using desk = await openTestDesk();
  const sender = slowBody();
  const going = desk.files.upload(await newTicket(desk), incoming({ body: sender.body, length: 5 }));
  await sender.wanted();
  const [row] = await Array.fromAsync(desk.files.list({}));
  const key = row?.uploadKey ?? "";
  expect(await codeOf(append(desk, key, 0, "HELLO"))).toBe("upload.unknown");
  expect(await codeOf(desk.files.cancel(key))).toBe("upload.unknown");
  sender.send("hello");
  sender.end();
  expect((await going).sha256).toBe(sha256("hello"));
});

test("an upload that takes the place of one being given back is watched and kept alive like any other", async () => {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let hold = false;
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) => ({
      ...blobs,
      async delete(key) {
        await blobs.delete(key);
        if (!hold) return;
        hold = false;
        held.resolve();
        await gate.promise;
      },
    }),
  });
  const ticket = await newTicket(desk);
  const failing = new AbortController();
  hold = true;
  const cut = desk.files.upload(
    ticket,
    incoming({ body: slowBody().body, length: 5, signal: AbortSignal.any([failing.signal]) }),
  );
  failing.abort();
  // The link is given back, the bytes are about to go, and its sender is here again.
  await held.promise;
  const sender = slowBody();
  const again: Promise<unknown> = desk.files.upload(ticket, incoming({ body: sender.body, length: 5 }));
  await sender.wanted();
  gate.resolve();
  expect(await codeOf(cut)).toBe("upload.cut");
  desk.clock.now += uploadPace.stall;
  desk.beat();
  expect(await codeOf(again)).toBe("upload.slow");
});
