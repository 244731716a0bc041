import { expect, test } from "bun:test";
import { WisError } from "../errors.ts";
import { incoming, openTestDesk } from "../testing/file-desk.ts";

test("every operation on the blob store is timed with its outcome", async () => {
  let broken = false;
  await using desk = await openTestDesk({
    wrapBlobs: (blobs) => ({
      ...blobs,
      async delete(key) {
        if (broken) throw new WisError("disk.failed", { say: "The disk does not answer." });
        await blobs.delete(key);
      },
    }),
  });
  const file = await desk.files.add({ ownerId: "a" }, incoming());
  await desk.files.open(file);
  broken = true;
  await desk.files.remove(file.id, "admin");

  const scraped = await desk.telemetry.scrape();
  for (const [operation, outcome] of [
    ["create", "ok"],
    ["commit", "ok"],
    ["open", "ok"],
    ["delete", "disk.failed"],
  ]) {
    expect(scraped).toContain(
      `wisbot_blob_operation_duration_seconds_count{operation="${operation}",outcome="${outcome}"`,
    );
  }
});
