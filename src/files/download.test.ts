import { expect, test } from "bun:test";
import { codeOf, incoming, openTestDesk, type TestDesk } from "../testing/file-desk.ts";
import { countDownload, createSessions } from "./download.ts";

const HOUR = 3_600_000;

/** The desk's own counting, with what reaches the index. */
function countingOn(desk: TestDesk) {
  const asked: string[] = [];
  const { downloads } = desk.store;
  const now = () => desk.clock.now;
  const deps = {
    downloads: {
      begin(session: Parameters<typeof downloads.begin>[0]) {
        asked.push(session.who);
        return downloads.begin(session);
      },
    },
    audit: { note() {} },
    audience: (client: string) => client,
    sessions: createSessions({ now }),
    now,
  };
  return { deps, asked };
}

test("a session's requests are written down once a minute, and counted once", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "1", maxDownloads: 1 }, incoming());
  const { deps, asked } = countingOn(desk);
  for (let request = 0; request < 100; request += 1) await countDownload(deps, file, "ann");
  expect(asked).toEqual(["ann"]);

  desk.clock.now += 60_000;
  await countDownload(deps, file, "ann");
  expect(asked).toEqual(["ann", "ann"]);
  expect((await desk.files.get(file.id)).downloads).toBe(1);
});

test("a session that goes on hour after hour stays one, also for an index that hears of it later", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "1", maxDownloads: 1 }, incoming());
  const { deps } = countingOn(desk);
  for (let hour = 0; hour < 40; hour += 11) {
    await countDownload(deps, file, "ann");
    desk.clock.now += 59_000;
    await countDownload(deps, file, "ann");
    desk.clock.now += 11 * HOUR;
  }
  expect((await desk.files.get(file.id)).downloads).toBe(1);
});

test("whoever comes too late is refused every time", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "1", maxDownloads: 1 }, incoming());
  const { deps } = countingOn(desk);
  await countDownload(deps, file, "ann");
  for (let time = 0; time < 3; time += 1) {
    await expect(countDownload(deps, file, "ben")).rejects.toMatchObject({ code: "file.spent" });
  }
  await countDownload(deps, file, "ann");
});

test("a file that was deleted since it was looked at is unknown to who downloads it, not spent", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "1", maxDownloads: 5 }, incoming());
  await desk.files.remove(file.id, "admin");
  expect(await codeOf(desk.files.download(file, "ann"))).toBe("file.unknown");
  const actions = (await desk.files.audit({ fileId: file.id, limit: 10 })).map(({ action }) => action);
  expect(actions).toEqual(["deleted", "uploaded"]);
});

test("bytes that are asked for again and again, and then go missing, are damage within a second", async () => {
  await using desk = await openTestDesk();
  const file = await desk.files.add({ ownerId: "1" }, incoming({ text: "hello" }));
  for (let time = 0; time < 5; time += 1) expect(await (await desk.files.open(file)).text()).toBe("hello");
  await desk.blobs.delete(file.blobKey ?? "");
  desk.clock.now += 1_000;
  await expect(desk.files.open(file)).rejects.toMatchObject({ code: "file.corrupt" });
  await desk.files.remove(file.id, "admin");
  await expect(desk.files.open(file)).rejects.toMatchObject({ code: "file.unknown" });
});
