import { expect, test } from "bun:test";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = join(import.meta.dir, "../../../scripts/demo.ts");

/** Ids of the processes that work in a folder below `folder`. */
async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const id of await readdir("/proc")) {
    // Most are somebody else's, and some are gone by now.
    const place = /^\d+$/.test(id) ? await readlink(`/proc/${id}/cwd`).catch(() => "") : "";
    if (place.startsWith(`${folder}/`)) found.push(id);
  }
  return found;
}

test("a Ctrl-C while the demo starts, as often as npm repeats it, leaves nothing behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wisbot-ending-"));
  const demo = Bun.spawn([process.execPath, script, "--port", "0"], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    while ((await processesIn(folder)).length === 0) expect(demo.exitCode).toBeNull();
    for (let press = 0; press < 3; press += 1) demo.kill("SIGINT");
    expect(await demo.exited).toBe(0);
    expect(await processesIn(folder)).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    demo.kill("SIGKILL");
    for (const id of await processesIn(folder)) process.kill(Number(id), "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);
