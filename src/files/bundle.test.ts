import { expect, test } from "bun:test";
import { codeOf, incoming, openTestDesk, slowBody, type TestDesk, ticketIn } from "../testing/file-desk.ts";
import { append, appendBody, begin, contentOf, owner, sha256, sound } from "../testing/resumable.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** An open link for that many files. */
async function newBundle(desk: TestDesk, files: number, ownerId = owner) {
  const link = await desk.files.issue({ ownerId });
  await desk.files.prepare(ticketIn(link), { files });
  return { id: link.fileId, ticket: ticketIn(link) };
}

/** Sends a whole member, resumable. */
async function send(desk: TestDesk, ticket: string, path: string, text = path) {
  const { key } = await begin(desk, ticket, text.length, path);
  return await append(desk, key, 0, text);
}

const pathsOf = async (desk: TestDesk, id: string) =>
  (await desk.files.members(await desk.files.get(id))).map(({ path }) => path);

const owed = async (desk: TestDesk) => (await desk.store.announcements.due(desk.clock.now, 100)).length;

test("a bundle is a share as soon as its last file is here, and not before", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 3);
  const one = await send(desk, ticket, "trip/a.txt");
  expect(one.file).toMatchObject({ url: `http://wisbot.test/f/${id}`, name: "a.txt" });
  await desk.files.upload(ticket, incoming({ name: "b.txt", path: "trip/b.txt", text: "plain" }));
  expect(await codeOf(desk.files.get(id))).toBe("file.unknown");
  expect(await owed(desk)).toBe(0);
  expect(await desk.files.inspect(ticket)).toMatchObject({
    state: "open",
    expected: 3,
    arriving: [
      { path: "trip/a.txt", ready: true },
      { path: "trip/b.txt", ready: true },
    ],
  });

  const { file } = await send(desk, ticket, "trip/deep/c.txt");
  expect(file).toMatchObject({ id, members: 3, size: 10 + 5 + 15, contentType: "application/zip" });
  expect(await desk.files.inspect(ticket)).toMatchObject({ state: "used", file: { id } });
  expect(await pathsOf(desk, id)).toEqual(["trip/a.txt", "trip/b.txt", "trip/deep/c.txt"]);
  const { size, read } = await desk.files.zip(await desk.files.get(id));
  const zip = read({ start: 0, end: size - 1 }, new AbortController().signal);
  expect((await new Response(zip).bytes()).length).toBe(size);
  expect(await owed(desk)).toBe(1);
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 30 });
});

test("whoever asks for a member's upload when all are here learns of the bundle", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 2);
  const { key } = await send(desk, ticket, "a.txt");
  expect((await desk.files.progress(key)).file?.id).not.toBe(id);
  await send(desk, ticket, "b.txt");
  expect((await desk.files.progress(key)).file).toMatchObject({ id, members: 2 });
});

test("of many last files at once each is in, and the bundle is made and announced once", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 12);
  const sent = await Promise.all(Array.from({ length: 12 }, (_, i) => send(desk, ticket, `${i}.txt`)));
  expect(sent.some(({ file }) => file?.id === id)).toBe(true);
  expect((await desk.files.get(id)).members).toBe(12);
  expect(await owed(desk)).toBe(1);
  expect(await desk.verify()).toEqual(sound);
});

test("a process that died between a bundle's last file and the bundle: asking for that file makes it, and so does the clean-up", async () => {
  for (const ask of [true, false]) {
    const dead = Promise.withResolvers<void>();
    const first = await openTestDesk({
      wrapIndex: (index) => ({
        ...index,
        seal() {
          dead.resolve();
          return new Promise<never>(() => undefined);
        },
      }),
    });
    const { id, ticket } = await newBundle(first, 2);
    await send(first, ticket, "a.txt");
    const { key } = await begin(first, ticket, 5, "b.txt");
    void append(first, key, 0, "hello");
    await dead.promise;

    await using desk = await first.crash();
    expect(await desk.repair()).toMatchObject({ uploads: 0 });
    if (ask) expect((await desk.files.progress(key)).file).toMatchObject({ id, members: 2 });
    else await desk.cleanUp();
    expect(await pathsOf(desk, id)).toEqual(["a.txt", "b.txt"]);
    expect(await owed(desk)).toBe(1);
  }
});

test("when its link ends it is shared with what is there, and is good for as long as a file is", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 5);
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  desk.clock.now += DAY - 1;
  await desk.cleanUp();
  expect(await codeOf(desk.files.get(id))).toBe("file.unknown");
  desk.clock.now += HOUR;
  await desk.cleanUp();
  expect(await desk.files.get(id)).toMatchObject({ members: 2, expiresAt: desk.clock.now + 7 * DAY });
  expect(await owed(desk)).toBe(1);
  expect(await desk.files.inspect(ticket)).toMatchObject({ state: "used", file: { id } });
});

test("one file alone in a bundle that nobody goes on with becomes that file, under the bundle's link", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 5);
  const { key } = await send(desk, ticket, "folder/a.txt");
  desk.clock.now += 2 * DAY;
  await desk.cleanUp();
  const file = await desk.files.get(id);
  expect(file).toMatchObject({ id, name: "a.txt", members: undefined, sha256: sha256("folder/a.txt") });
  expect((await contentOf(desk, id)).toString()).toBe("folder/a.txt");
  expect((await desk.files.progress(key)).file?.id).toBe(id);
  expect(await Array.fromAsync(desk.files.list({}))).toHaveLength(1);
  await desk.files.remove(id, "admin");
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
});

test("a bundle waits for a file that is begun as long as that can be gone on with, whatever its link says", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 2);
  await desk.files.upload(ticket, incoming({ name: "a.txt" }));
  desk.clock.now += HOUR - 1;
  const { key } = await begin(desk, ticket, 10, "b.txt");
  desk.clock.now += DAY - 1;
  await desk.cleanUp();
  expect((await append(desk, key, 0, "hello")).received).toBe(5);
  desk.clock.now += DAY - 1;
  await desk.cleanUp();
  expect((await append(desk, key, 5, "world")).file).toMatchObject({ id, members: 2 });
});

test("a file that was begun and never gone on with goes, and its bundle is shared without it", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 3);
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  const { key } = await begin(desk, ticket, 1000, "c.txt");
  await append(desk, key, 0, "hello");
  desk.clock.now += 2 * DAY;
  await desk.cleanUp();
  expect(await pathsOf(desk, id)).toEqual(["a.txt", "b.txt"]);
  expect(await codeOf(desk.files.progress(key))).toBe("upload.unknown");
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 10 });
  expect(await desk.blobs.sweep(() => false)).toBe(0);
});

test("a bundle to which nothing came goes with its link", async () => {
  await using desk = await openTestDesk();
  const empty = await newBundle(desk, 3);
  const begun = await newBundle(desk, 3);
  await begin(desk, begun.ticket, 10, "a.txt");
  desk.clock.now += 2 * DAY;
  await desk.cleanUp();
  await desk.cleanUp();
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
  expect(await Array.fromAsync(desk.files.list({}))).toEqual([]);
  expect(await desk.blobs.sweep(() => false)).toBe(0);
  expect(await desk.files.inspect(empty.ticket)).toMatchObject({ state: "expired" });
});

test("one that is closed is shared as it is: idle uploads go, one that is being sent is waited for", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 5);
  expect(await codeOf(desk.files.close(ticket))).toBe("share.invalid");
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  const idle = await begin(desk, ticket, 10, "idle.txt");
  const { key } = await begin(desk, ticket, 5, "c.txt");
  const sender = slowBody();
  const going = appendBody(desk, key, sender.body);
  await sender.wanted();
  expect(await codeOf(desk.files.close(ticket))).toBe("ticket.busy");
  sender.send("hello");
  sender.end();
  await going;
  expect(await desk.files.close(ticket)).toMatchObject({ id, members: 3 });
  expect(await codeOf(desk.files.progress(idle.key))).toBe("upload.unknown");
  expect(await codeOf(desk.files.close(ticket))).toBe("ticket.used");
  expect(await desk.blobs.sweep(() => false)).toBe(0);
});

test("no more files than were announced; a begun one gives way to the same file sent anew", async () => {
  await using desk = await openTestDesk();
  const { ticket } = await newBundle(desk, 2);
  const first = await begin(desk, ticket, 5, "a.txt");
  await append(desk, first.key, 0, "HE");
  await begin(desk, ticket, 10, "b.txt");
  expect(await codeOf(begin(desk, ticket, 10, "c.txt"))).toBe("share.invalid");
  expect(await codeOf(begin(desk, ticket, 6, "a.txt"))).toBe("share.invalid");
  const again = await begin(desk, ticket, 5, "a.txt");
  expect(await codeOf(desk.files.progress(first.key))).toBe("upload.unknown");
  expect((await append(desk, again.key, 0, "hello")).file?.sha256).toBe(sha256("hello"));
  expect((await desk.files.usage(owner)).bytes).toBe(15);
});

test("saying again how many files come forgets none that is here", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 3);
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  await desk.files.prepare(ticket, { files: 1, title: "Trip" });
  expect(await desk.files.inspect(ticket)).toMatchObject({ state: "open", expected: 2 });
  expect(await desk.files.close(ticket)).toMatchObject({ id, members: 2, title: "Trip", name: "Trip.zip" });
});

test("what is on its way counts with all its bytes, and a bundle as one file", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 100, maxFiles: 2 } });
  const { ticket } = await newBundle(desk, 10);
  await begin(desk, ticket, 60, "a.txt");
  await begin(desk, ticket, 30, "b.txt");
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 90 });
  expect(await codeOf(begin(desk, ticket, 11, "c.txt"))).toBe("quota.bytes");
  const upload = desk.files.upload(ticket, incoming({ name: "d.txt", text: "x".repeat(11) }));
  expect(await codeOf(upload)).toBe("quota.bytes");
  await begin(desk, ticket, 10, "e.txt");
  expect(await codeOf(desk.files.add({ ownerId: owner }, incoming()))).toBe("quota.bytes");
  await newBundle(desk, 2);
  expect(await codeOf(desk.files.issue({ ownerId: owner }))).toBe("quota.files");
});

test("of a hundred files at once into a bundle with room for one exactly one is taken", async () => {
  await using desk = await openTestDesk({ limits: { maxBytes: 100 } });
  const { ticket } = await newBundle(desk, 100);
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) => codeOf(begin(desk, ticket, 60, `${i}.txt`))),
  );
  expect(all.filter((code) => code === "no error")).toHaveLength(1);
  expect(all.filter((code) => code === "quota.bytes")).toHaveLength(99);
  expect(await desk.files.usage(owner)).toEqual({ files: 1, bytes: 60 });
});

test("of a hundred files at once into a bundle with one place left exactly one is taken", async () => {
  await using desk = await openTestDesk();
  const { ticket } = await newBundle(desk, 2);
  await send(desk, ticket, "first.txt");
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) => codeOf(begin(desk, ticket, 60, `${i}.txt`))),
  );
  expect(all.filter((code) => code === "no error")).toHaveLength(1);
});

test("a file goes with its bundle and not by itself, and lives as long", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 2);
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  const [member] = await desk.files.members(await desk.files.get(id));
  expect(await codeOf(desk.files.remove(member?.id ?? "", "admin"))).toBe("file.unknown");
  expect(await codeOf(desk.files.extend(member?.id ?? "", "admin"))).toBe("file.unknown");
  desk.clock.now += 6 * DAY;
  await desk.files.extend(id, "admin");
  desk.clock.now += 2 * DAY;
  await desk.cleanUp();
  expect(await pathsOf(desk, id)).toHaveLength(2);
  await desk.files.remove(id, "admin");
  expect(await codeOf(desk.files.get(member?.id ?? ""))).toBe("file.unknown");
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("an expired bundle goes with its files", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 2);
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  desk.clock.now += 7 * DAY;
  const { expired_files, failed } = await desk.cleanUp();
  expect([expired_files, failed]).toEqual([2, 0]);
  expect(await desk.store.files.find(id)).toBeUndefined();
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a bundle that is removed while its files arrive takes them along, and their senders are told", async () => {
  await using desk = await openTestDesk();
  const { id, ticket } = await newBundle(desk, 3);
  await send(desk, ticket, "a.txt");
  const plain = slowBody();
  const putting = desk.files.upload(ticket, incoming({ name: "b.txt", body: plain.body, length: 5 }));
  const { key } = await begin(desk, ticket, 5, "c.txt");
  const parts = slowBody();
  const appending = appendBody(desk, key, parts.body);
  await plain.wanted();
  await parts.wanted();
  await desk.files.remove(id, "admin");
  for (const sender of [plain, parts]) {
    sender.send("hello");
    sender.end();
  }
  // Both are heard from the first: either may end before the other.
  expect(await Promise.all([codeOf(putting), codeOf(appending)])).toEqual(["upload.cut", "upload.unknown"]);
  expect(await Array.fromAsync(desk.files.list({}))).toEqual([]);
  expect(await Array.fromAsync(desk.blobs.keys())).toEqual([]);
  expect(await desk.blobs.sweep(() => false)).toBe(0);
  expect(await desk.files.usage(owner)).toEqual({ files: 0, bytes: 0 });
});

test("a bundle that is sealed while another file begins has either both or neither", async () => {
  for (let turns = 0; turns < 12; turns += 1) {
    await using desk = await openTestDesk();
    const { id, ticket } = await newBundle(desk, 10);
    await send(desk, ticket, "a.txt");
    await send(desk, ticket, "b.txt");
    const closing = codeOf(desk.files.close(ticket));
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const begun = begin(desk, ticket, 5, "late.txt").then(({ key }) => append(desk, key, 0, "hello"));
    const [closed, late] = await Promise.all([closing, codeOf(begun)]);
    if (closed !== "no error") await desk.files.close(ticket);
    const paths = await pathsOf(desk, id);
    expect(paths).toEqual(late === "no error" ? ["a.txt", "b.txt", "late.txt"] : ["a.txt", "b.txt"]);
    expect(await desk.verify()).toEqual(sound);
    expect(await desk.blobs.sweep(() => false)).toBe(0);
  }
});

test("a bundle's password and downloads are its files' too", async () => {
  await using desk = await openTestDesk();
  const link = await desk.files.issue({ ownerId: owner });
  const ticket = ticketIn(link);
  await desk.files.prepare(ticket, { files: 2, password: "secret", maxDownloads: 1 });
  await send(desk, ticket, "a.txt");
  await send(desk, ticket, "b.txt");
  const bundle = await desk.files.get(link.fileId);
  const [listed] = await desk.files.members(bundle);
  const member = await desk.files.get(listed?.id ?? "");
  expect(desk.files.admits(member, [])).toBe(false);
  const pass = await desk.files.unlock(bundle, "secret", "client");
  expect(desk.files.admits(member, [pass])).toBe(true);
  await desk.files.download(member, "one");
  expect(await codeOf(desk.files.download(bundle, "other"))).toBe("file.spent");
});
