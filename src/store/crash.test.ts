import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { openStore } from "./open.ts";
import { quiet, testFolder } from "./open-test-store.ts";

const writer = fileURLToPath(new URL("./writer.fixture.ts", import.meta.url));

/** Runs a writer on this data dir and kills it once it has acknowledged so many rows; gives those it has. */
async function writeAndKill(dataDir: string, rows: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, writer, dataDir], { stdout: "pipe" });
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split("\n").length > rows && !child.killed) child.kill("SIGKILL");
  }
  // The last line may be cut in two.
  return text.split("\n").slice(0, -1);
}

test("kill -9 of a writer, again and again, loses no acknowledged row, nor where its bytes are", async () => {
  await using folder = await testFolder();
  const acknowledged: string[] = [];
  for (const rows of [1, 40, 150, 700]) acknowledged.push(...(await writeAndKill(folder.path, rows)));
  expect(acknowledged.length).toBeGreaterThan(890);

  await using store = await openStore({ dataDir: folder.path, log: quiet });
  const lost = [];
  for (const id of acknowledged) {
    const row = await store.files.find(id);
    if (row?.state !== "ready" || !(await store.blobs.find(row.blobKey ?? ""))) lost.push(id);
  }
  expect(lost).toEqual([]);
});
