import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTestWeb, type TestWeb } from "./open-test-web.ts";

// docs/uploading.md, as somebody would use it who copies from it.

const guide = await Bun.file(join(import.meta.dir, "../../docs/uploading.md")).text();
const blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);

const OWNER = "111111111111111111";
const PASSWORD = "open sesame";
// Several chunks.
const big = crypto.getRandomValues(new Uint8Array(60_000));

let folder: string;
let web: TestWeb;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wisbot-guide-"));
  const files = { max_files_per_user: 100, min_free_disk: "1MB" };
  web = await openTestWeb({ config: { files }, rates: { guessesPerMinute: 1_000 } });
});
afterAll(async () => {
  await web?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a block in a folder of its own, with what the guide says that there is. */
async function run(block: string, at: number) {
  const cwd = join(folder, String(at));
  await mkdir(join(cwd, "photos"), { recursive: true });
  await Promise.all([
    Bun.write(join(cwd, "big.iso"), big),
    ...["one.jpg", "two.jpg", "photos/three.jpg"].map((name) => Bun.write(join(cwd, name), name)),
    // Without it curl is content with every refusal.
    Bun.write(join(cwd, ".curlrc"), "fail-with-body\nsilent\nshow-error\nmax-time = 20\n"),
  ]);
  const fetched = await web.share("fetched.iso", big);
  const locked = await web.link(OWNER);
  await web.files.prepare(locked.split("/").at(-1) ?? "", { password: PASSWORD });
  await fetch(`${locked}/locked.iso`, { method: "PUT", body: big });
  const asker = { guildId: null, roleIds: [] };
  const { secret, id } = await web.files.mintToken({ ownerId: OWNER, asker, name: "guide" });
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: cwd,
    LINK: await web.link(OWNER),
    TOKEN: secret,
    HOST: web.url,
    SHARE: fetched,
    PROTECTED: (await sharesOf(OWNER))[0]?.url ?? "",
  };
  const before = new Set((await sharesOf(OWNER)).map((file) => file.id));
  const child = Bun.spawn(["bash", "-euo", "pipefail", "-c", block], {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  await web.files.revokeToken(id, { ownerId: OWNER });
  const shared = (await sharesOf(OWNER)).filter((file) => !before.has(file.id));
  return { code, stderr, stdout, shared, cwd };
}

const sharesOf = (ownerId: string) => web.files.page(ownerId, { limit: 100 });

test.each(blocks.map((block, at) => [at, block] as const))(
  "block %i of the guide works",
  async (at, block) => {
    const { code, stdout, stderr, shared, cwd } = await run(block, at);
    expect({ code, stderr, block }).toEqual({ code: 0, stderr: "", block });
    if (block.includes("/download")) {
      const names = (await readdir(cwd)).filter((name) => name.endsWith(".iso") && name !== "big.iso");
      expect(names).toHaveLength(1);
      expect(await Bun.file(join(cwd, names[0] ?? "")).bytes()).toEqual(big);
      return;
    }
    expect(shared).toHaveLength(1);
    const [file] = shared;
    expect(stdout).toContain(file?.url ?? "nothing was shared");
    if (block.includes("Holiday")) expect(file?.title).toBe("Holiday");
    if (block.includes(PASSWORD)) {
      expect(file && (await web.files.unlock(file, PASSWORD, "guide"))).toBeString();
    }
    if (block.includes("3d") && file) expect(file.expiresAt - file.readyAt).toBe(3 * 86_400_000);
    if (block.includes("max_downloads")) expect(file?.maxDownloads).toBe(1);
    if (block.includes("two.jpg") || block.includes("*.jpg")) expect(file?.members).toBe(2);
    else expect(file?.members).toBeUndefined();
    if (block.includes("big.iso")) expect(file?.size).toBe(big.length);
  },
);

test("the guide has a block for every way in and out", () => {
  expect(blocks.length).toBeGreaterThan(12);
  for (const route of [
    "$LINK/settings",
    "$LINK/finish",
    "/api/files/",
    '/api/files"',
    "/api/uploads",
    "/download",
  ]) {
    expect(blocks.filter((block) => block.includes(route)).length).toBeGreaterThan(0);
  }
});
