import { describe, expect, test } from "bun:test";
import { RateLimitError } from "discord.js";
import { WisError } from "../errors.ts";
import { fakeTime } from "../testing/fake-time.ts";
import { incoming, slowBody, ticketIn } from "../testing/file-desk.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { openTestBot } from "../testing/test-bot.ts";
import { createEditBudget } from "./edit-budget.ts";
import { unreachable } from "./refusals.ts";
import { type Arriving, createUploadProgress } from "./upload-progress.ts";

const MB = 1e6;

/** The rules of pace on a clock of their own; Discord answers as, and when, `answers` say, one an edit. */
async function setUp(answers: (Error | Promise<void> | undefined)[] = []) {
  const time = fakeTime();
  const start = time.now();
  const { telemetry, lines, ...opened } = await openTestTelemetry();
  const edits: { at: number; line: string }[] = [];
  let content = "Your link: http://wisbot.test/u/x";
  let reads = 0;
  const progress = createUploadProgress({
    messages: {
      async read() {
        reads += 1;
        return { content, components: [] };
      },
      async edit(_, body) {
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        await answer;
        content = body.content ?? "";
        edits.push({ at: time.now() - start, line: content.split("\n").at(-1) ?? "" });
      },
    },
    budget: createEditBudget({ now: time.now }),
    telemetry,
    ...time,
  });
  const origin = {
    guildId: null,
    channelId: "1",
    private: false,
    applicationId: "2",
    interactionToken: "token",
    interactionAt: start,
  };
  const upload: Arriving = { id: "a", parentId: null, name: "big.iso", length: 100 * MB, origin };
  /** A report a second of so many more megabytes, from `from` on. */
  async function run(seconds: number, from = 0, each = 1) {
    for (let second = 1; second <= seconds; second++) {
      progress.report(upload, (from + second * each) * MB);
      await time.pass(1_000);
    }
  }
  return {
    ...time,
    progress,
    upload,
    origin,
    edits,
    run,
    content: () => content,
    reads: () => reads,
    errors: () => lines().filter(({ level }) => level === "error"),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const limited = () =>
  unreachable(
    new RateLimitError({
      timeToReset: 0,
      limit: 5,
      method: "PATCH",
      hash: "",
      url: "",
      route: "",
      majorParameter: "",
      global: false,
      retryAfter: 100,
      sublimitTimeout: 0,
      scope: "user",
    }),
  );
const gone = () => new WisError("discord.failed", { say: "Unknown Message." });

describe("the progress of an upload", () => {
  test("is shown every 5 seconds at most, with the latest of what is known", async () => {
    await using t = await setUp();
    await t.run(18);
    expect(t.edits.map(({ at }) => at)).toEqual([2_000, 7_000, 12_000, 17_000]);
    expect(t.edits[1]?.line).toBe("-# Receiving big.iso: 7% of 100 MB, 1 MB/s");
  });

  test("costs two requests, however often it is reported before the first edit", async () => {
    await using t = await setUp();
    for (let step = 0; step < 100_000; step++) t.progress.report(t.upload, step);
    await t.pass(2_000);
    expect([t.reads(), t.edits.length]).toEqual([1, 1]);
  });

  test("is not shown of an upload that is over in two seconds", async () => {
    await using t = await setUp();
    t.progress.report(t.upload, 50 * MB);
    await t.pass(1_900);
    await t.progress.end("a");
    await t.pass(60_000);
    expect(t.edits).toEqual([]);
  });

  test("stands below the link, which stays in reach", async () => {
    await using t = await setUp();
    await t.run(8);
    expect(t.content()).toBe("Your link: http://wisbot.test/u/x\n-# Receiving big.iso: 7% of 100 MB, 1 MB/s");
  });

  test("says how much is here where nobody knows how much will come", async () => {
    await using t = await setUp();
    t.progress.report({ ...t.upload, length: null }, 3 * MB);
    await t.pass(2_000);
    expect(t.edits[0]?.line).toBe("-# Receiving big.iso: 3 MB");
  });

  test("of a bundle names the file at hand and adds up the speed of all", async () => {
    await using t = await setUp();
    for (let second = 0; second <= 6; second++) {
      for (const id of ["b", "c"]) {
        const member = { ...t.upload, id, parentId: "a", name: `${id}.jpg`, length: 10 * MB };
        t.progress.report(member, second * MB);
      }
      await t.pass(1_000);
    }
    expect(t.edits.map(({ line }) => line)).toEqual([
      "-# Receiving c.jpg: 10% of 10 MB, 1 MB/s",
      "-# Receiving c.jpg: 60% of 10 MB, 2 MB/s",
    ]);
  });

  test("is shown where somebody asked in Discord, and nowhere else", async () => {
    await using t = await setUp();
    t.progress.report({ ...t.upload, origin: null }, MB);
    await t.pass(10_000);
    expect(t.reads()).toBe(0);
  });

  test("ends with its interaction's token", async () => {
    await using t = await setUp();
    await t.run(15 * 60, 0, 0.1);
    expect(t.edits.at(-1)?.at).toBeLessThan(14 * 60_000);
    t.progress.report({ ...t.upload, id: "later" }, MB);
    await t.pass(10_000);
    expect(t.reads()).toBe(1);
    expect(t.errors()).toEqual([]);
  });

  test("is recorded once when Discord refuses it, and is quiet from then on", async () => {
    await using t = await setUp([gone(), gone(), gone()]);
    await t.run(40);
    expect(t.edits).toEqual([]);
    expect(t.errors()).toHaveLength(1);
  });

  test("waits as Discord says, without a word in the log", async () => {
    await using t = await setUp([limited()]);
    await t.run(15);
    expect(t.edits.map(({ at }) => at)).toEqual([12_000]);
    expect(t.errors()).toEqual([]);
  });

  test("says that the upload has stopped after a minute's silence, and goes on when it does", async () => {
    await using t = await setUp();
    await t.run(3);
    await t.pass(65_000);
    expect(t.edits.at(-1)?.line).toBe("-# Stopped: big.iso at 3% of 100 MB. Open the link again to go on.");
    await t.run(3, 3);
    expect(t.content()).toStartWith("Your link: http://wisbot.test/u/x\n-# Receiving big.iso: 5% of 100 MB");
  });

  test("ends after the word that it has stopped, where it goes on while that is said", async () => {
    const said = Promise.withResolvers<void>();
    await using t = await setUp([undefined, undefined, said.promise]);
    await t.run(3);
    await t.pass(65_000);
    t.progress.report(t.upload, 100 * MB);
    let ended = false;
    const ending = t.progress.end("a").then(() => {
      ended = true;
    });
    await t.pass(1_000);
    expect(ended).toBe(false);
    said.resolve();
    await ending;
    const lines = t.edits.length;
    await t.pass(120_000);
    expect(t.edits).toHaveLength(lines);
  });

  test("is shown again after the word that it has stopped has come", async () => {
    const said = Promise.withResolvers<void>();
    await using t = await setUp([undefined, undefined, said.promise]);
    await t.run(3);
    await t.pass(65_000);
    t.progress.report(t.upload, 4 * MB);
    said.resolve();
    await t.pass(1_000);
    await t.run(3, 4);
    expect(t.edits.at(-1)?.line).toStartWith("-# Receiving");
  });

  test("says nothing of an upload that is whole and waits to be announced", async () => {
    await using t = await setUp();
    await t.run(10, 0, 10);
    await t.pass(120_000);
    expect(t.edits.at(-1)?.line).toContain("Receiving");
  });

  test("is over when wisbot ends", async () => {
    await using t = await setUp();
    await t.run(1);
    await t.progress.drain();
    await t.run(20);
    expect(t.edits).toEqual([]);
  });

  test("is followed of 200 shares at a time", async () => {
    await using t = await setUp();
    for (let share = 0; share < 250; share++) {
      const origin = { ...t.origin, interactionToken: String(share) };
      t.progress.report({ ...t.upload, id: String(share), origin }, MB);
    }
    await t.pass(12_000);
    expect(t.reads()).toBe(200);
  });
});

test("an upload through a link from Discord is shown there as it comes, and then where it went", async () => {
  await using t = await openTestBot();
  const asked = t.discord.invoke({ user: "ada", command: "wis upload" });
  const { buttons } = await asked.waitFor(({ loading }) => !loading);
  const ticket = ticketIn({ url: buttons[0]?.url ?? "" });
  const source = slowBody();
  const upload = t.desk.files.upload(
    ticket,
    incoming({ name: "big.iso", length: 1_200_000, body: source.body }),
  );
  source.send("x".repeat(600_000));
  const shown = await asked.waitFor(({ content }) => content.includes("Receiving"));
  expect(shown.content).toContain("Receiving big.iso: 50% of 1.2 MB");
  expect(shown.content).toContain(`/u/${ticket}`);
  expect(shown.buttons.map(({ label }) => label)).toEqual(["Upload a file"]);
  source.send("x".repeat(600_000));
  source.end();
  const file = await upload;
  const [owed] = await t.desk.store.announcements.due(t.now(), 1);
  if (!owed) throw new Error("nothing is owed for a finished upload");
  await t.bot.messenger.deliver(owed.announcement);
  expect(asked.message()?.content).toBe(`Uploaded: big.iso\n<${file.url}>`);
  expect(asked.message()?.buttons).toEqual([]);
});

test("the files of a bundle are shown in the same place", async () => {
  await using t = await openTestBot();
  const asked = t.discord.invoke({ user: "ada", command: "wis upload" });
  const { buttons } = await asked.waitFor(({ loading }) => !loading);
  const ticket = ticketIn({ url: buttons[0]?.url ?? "" });
  await t.desk.files.prepare(ticket, { files: 2 });
  const source = slowBody();
  const upload = t.desk.files.upload(
    ticket,
    incoming({ name: "one.jpg", length: 600_001, body: source.body }),
  );
  source.send("x".repeat(600_000));
  await asked.waitFor(({ content }) => content.includes("Receiving one.jpg: 99%"));
  source.send("x");
  source.end();
  await upload;
  await t.desk.files.upload(ticket, incoming({ name: "two.jpg" }));
  const [owed] = await t.desk.store.announcements.due(t.now(), 1);
  if (!owed) throw new Error("nothing is owed for a finished bundle");
  await t.bot.messenger.deliver(owed.announcement);
  expect(asked.message()?.content).toStartWith("Uploaded: 2 files.zip\n");
});

test("uploads side by side meet no rate limit of Discord's", async () => {
  await using t = await openTestBot({ discord: { limits: "discord" } });
  const asked = Array.from({ length: 3 }, () => t.discord.invoke({ user: "ada", command: "wis upload" }));
  const uploads = await Promise.all(
    asked.map(async (one) => {
      const { buttons } = await one.waitFor(({ loading }) => !loading);
      const source = slowBody();
      const ticket = ticketIn({ url: buttons[0]?.url ?? "" });
      const upload = t.desk.files.upload(ticket, incoming({ length: 60_000_000, body: source.body }));
      return { source, upload };
    }),
  );
  // Timers run 50 times as fast here, and Discord's windows don't: what it would refuse is not even sent.
  for (let edits = 1; edits <= 4; edits++) {
    for (const { source } of uploads) source.send("x".repeat(100_000));
    await Promise.all(asked.map((one) => one.waitFor(({ history }) => history.length > edits)));
  }
  expect(t.discord.requests.filter(({ status }) => status === 429)).toEqual([]);
  for (const { source } of uploads) source.break(new Error("enough"));
  await Promise.allSettled(uploads.map(({ upload }) => upload));
});
