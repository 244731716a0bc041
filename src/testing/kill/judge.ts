import type { Instance } from "./instance.ts";
import type { Line } from "./line.ts";
import { GONE } from "./senders.ts";
import { isWhole, OWNER, type Share } from "./shares.ts";

/** What was promised of one share, at the end. */
export async function settle(instance: Instance, line: Line, share: Share): Promise<void> {
  if (share.state === "leaving") await instance.run("files", "rm", share.id);
  if (share.state === "kept") {
    if (!(await isWhole(line, share))) throw new Error("the line broke at the end");
    if (share.parts.length > 1) await expectMembers(instance, line, share);
    return;
  }
  if (share.url === GONE) return;
  let answer = await line.ask(`/f/${share.id}/download`);
  while (share.state === "fleeting" && answer?.status === 200) {
    await Bun.sleep(100);
    answer = await line.ask(`/f/${share.id}/download`);
  }
  if (answer?.status !== 404) throw new Error(`a ${share.state} share answers ${answer?.status}`);
}

async function expectMembers(instance: Instance, line: Line, share: Share): Promise<void> {
  const rows = instance.query<{ id: string; path: string }>(
    `select id, path from files where parent_id = '${share.id}' order by path`,
  );
  const paths = rows.map(({ path }) => path);
  if (paths.join() !== share.parts.map(({ path }) => path).join()) {
    throw new Error(`a bundle has ${paths.join()} instead of what was sent`);
  }
  for (const [at, { id }] of rows.entries()) {
    const part = share.parts[at];
    if (part && !(await isWhole(line, { id, parts: [part] }))) throw new Error("the line broke at the end");
  }
}

export async function expectVerified(instance: Instance): Promise<void> {
  const { code, stdout, stderr } = await instance.run("files", "verify", "--json");
  const found: unknown = JSON.parse(stdout);
  const sound = { rows_without_bytes: [], bytes_without_rows: [], corrupt: [] };
  if (code !== 0 || !Bun.deepEquals(found, sound)) throw new Error(`files verify: ${stdout}${stderr}`);
}

/** Rows, usage and disk all say the same: what is kept, and nothing else. */
export async function expectSum(instance: Instance, shares: Share[]): Promise<void> {
  const kept = shares.filter(({ state }) => state === "kept");
  const parts = kept.flatMap((share) => share.parts);
  const sent = parts.reduce((sum, { size }) => sum + size, 0);
  const rows = instance.query<{ state: string; size: number; parent_id: string | null }>(
    "select state, size, parent_id from files",
  );
  const distinct = new Map(parts.map(({ sha256, size }) => [sha256, size]));
  const open = rows.filter(({ state }) => state === "pending").length;
  const found = {
    states: [...new Set(rows.map(({ state }) => state))].filter((state) => state !== "pending"),
    rows: rows.reduce((sum, { size }) => sum + size, 0),
    usage: await instance.usage(OWNER),
    stored: await instance.stored(),
  };
  const expected = {
    states: kept.length > 0 ? ["ready"] : [],
    rows: sent,
    usage: { files: kept.length + open, bytes: sent },
    stored: {
      blobs: distinct.size,
      bytes: [...distinct.values()].reduce((sum, size) => sum + size, 0),
      unfinished: 0,
    },
  };
  if (!Bun.deepEquals(found, expected)) {
    throw new Error(`it does not add up: ${Bun.inspect(found)} instead of ${Bun.inspect(expected)}`);
  }
}
