import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWisbot } from "../testing/command-line.ts";

// Each command is a process of its own, and a test runs several.
setDefaultTimeout(30_000);

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-files-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const files = (...args: string[]) => runWisbot(["files", ...args], { cwd, env });
const env = { WISBOT_FILES__MAX_FILES_PER_USER: "3", WISBOT_FILES__MIN_FREE_DISK: "1MB" };

async function asked<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await files(...args, "--json");
  if (code !== 0) throw new Error(`files ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

function write(name: string, text: string): string {
  writeFileSync(join(cwd, name), text);
  return join(cwd, name);
}

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const id = expect.stringMatching(/^[\w-]{22}$/);

test("a file goes in, is listed and shown, comes out the same, and is gone", async () => {
  const path = write("notes.txt", "hello");
  const added = await asked("add", path, "--owner", "somebody", "--expires", "2h");
  expect(added).toEqual({ id, url: `http://localhost:8080/f/${added.id}`, expires_at: iso });
  const lives = Date.parse(String(added.expires_at)) - Date.now();
  expect(lives).toBeGreaterThan(7_100_000);
  expect(lives).toBeLessThanOrEqual(7_200_000);

  const sha256 = createHash("sha256").update("hello").digest("hex");
  const shared = { id: added.id, name: "notes.txt", size: 5, sha256, owner: "somebody", state: "ready" };
  const open = { files: null, title: null, password: false, downloads: 0, max_downloads: null };
  expect(await asked<object[]>("list")).toEqual([{ ...shared, ...open, expires_at: added.expires_at }]);
  expect(await asked("show", String(added.id))).toMatchObject({ ...shared, url: added.url });

  const copy = join(cwd, "copy.txt");
  expect(await asked("get", String(added.id), copy)).toEqual({ id: added.id, path: copy, size: 5, sha256 });
  expect(readFileSync(copy, "utf8")).toBe("hello");
  expect(await files("get", String(added.id), "-")).toMatchObject({ code: 0, stdout: "hello" });

  expect(await asked("rm", String(added.id))).toEqual({ removed: [added.id], failed: [] });
  expect(await asked<object[]>("list")).toEqual([]);
  expect(await files("show", String(added.id))).toMatchObject({ code: 1, stdout: "" });
});

test("answers go to stdout and nothing else does", async () => {
  const { stdout, code } = await files("add", write("a.txt", "a"));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^http:\/\/localhost:8080\/f\/[\w-]{22}\n$/);
  const linked = await files("link", "--owner", "somebody");
  expect(linked.stdout).toMatch(/^http:\/\/localhost:8080\/u\/[\w-]{22}\n$/);
  const listed = await files("list", "--state", "ready");
  expect(listed.stdout.trim().split("\n")).toHaveLength(2);
  expect(listed.stdout).toContain("a.txt");
});

test("a link is listed as pending until it is used, and can be taken back", async () => {
  const link = await asked("link", "--owner", "somebody");
  expect(link).toEqual({ id, url: expect.stringContaining("/u/"), expires_at: iso });
  expect(String(link.url)).not.toContain(String(link.id));
  expect(await asked<object[]>("list", "--owner", "somebody")).toMatchObject([
    {
      id: link.id,
      name: null,
      size: 0,
      sha256: null,
      owner: "somebody",
      state: "pending",
      expires_at: link.expires_at,
    },
  ]);
  expect(await asked<object[]>("list", "--owner", "other")).toEqual([]);
  expect(await asked("rm", String(link.id))).toEqual({ removed: [link.id], failed: [] });
});

test("quotas hold on the command line too, with what to do", async () => {
  for (const name of ["1", "2", "3"]) await asked("add", write(name, name));
  const refused = await files("add", write("4", "4"));
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/Error: .*3 files.*\nTry: Delete a file/);
  expect(await asked<object[]>("list")).toHaveLength(3);
});

test("extending counts from now", async () => {
  const { id } = await asked("add", write("a", "a"));
  const extended = await asked("extend", String(id), "--expires", "30d");
  const days = (Date.parse(String(extended.expires_at)) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(29.99);
  expect(days).toBeLessThanOrEqual(30);
});

test("rm tries every id and fails when one failed", async () => {
  const { id } = await asked("add", write("a", "a"));
  const unknown = "x".repeat(22);
  const { code, stdout } = await files("rm", unknown, String(id), "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    removed: [id],
    failed: [{ id: unknown, code: "file.unknown", say: expect.any(String) }],
  });
});

test("prune removes what has expired, with its bytes", async () => {
  await asked("add", write("short", "gone"), "--expires", "1ms");
  const kept = await asked("add", write("long", "kept"));
  expect(await asked("prune")).toMatchObject({ expired_files: 1, bytes: 4, failed: 0 });
  expect(await asked<object[]>("list")).toMatchObject([{ id: kept.id }]);
  expect((await files("prune")).stdout).toBe("Removed 0 files (0 B), 0 links.\n");
});

test("verify is quiet about what is sound and exits 1 when bytes were changed", async () => {
  const { id } = await asked("add", write("a", "sound"));
  expect(await files("verify")).toMatchObject({ code: 0, stdout: "Sound: 1 file.\n" });
  const stored = readdirSync(join(cwd, "data", "files"), { recursive: true, withFileTypes: true });
  const blobs = stored.filter((entry) => entry.isFile());
  expect(blobs).toHaveLength(1);
  // What bytes are kept under is a secret of its own: a file's address says nothing of it.
  for (const { name, parentPath } of blobs) {
    expect(name).not.toBe(String(id));
    writeFileSync(join(parentPath, name), "SOUND");
  }
  const { code, stdout } = await files("verify", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [id] });
  const got = await files("get", String(id), "out");
  expect(got.code).toBe(1);
  expect(readdirSync(cwd)).not.toContain("out");
  expect(readdirSync(cwd).filter((name) => name.startsWith("out"))).toEqual([]);
});

describe("get", () => {
  test("writes by the file's own name into the folder that it is given, and over nothing unless forced", async () => {
    const { id } = await asked("add", write("a.txt", "stored"));
    mkdirSync(join(cwd, "folder"));
    expect(await files("get", String(id), "folder")).toMatchObject({ code: 0, stdout: "folder/a.txt\n" });
    write("a.txt", "mine");
    const refused = await files("get", String(id));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("exists already");
    expect(readFileSync(join(cwd, "a.txt"), "utf8")).toBe("mine");
    expect(await files("get", String(id), "--force")).toMatchObject({ code: 0, stdout: "a.txt\n" });
    expect(readFileSync(join(cwd, "a.txt"), "utf8")).toBe("stored");
  });
});

/** What a shell makes of a pipeline that begins with `wisbot files …`: the answer of the last, and how wisbot ended. */
async function piped(command: string, ...args: string[]) {
  const wisbot = [process.execPath, join(import.meta.dir, "../main.ts"), "files", ...args];
  const child = Bun.spawn(["bash", "-c", `"$@" | ${command}; exit \${PIPESTATUS[0]}`, "bash", ...wisbot], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, stdout, stderr };
}

test("whoever reads a file from stdout may have enough before its end", async () => {
  const { id } = await asked("add", write("long", "0123456789\n".repeat(500_000)));
  const args = ["get", String(id), "-"];
  expect(await piped("head -n 1", ...args)).toEqual({ code: 0, stdout: "0123456789\n", stderr: "" });
  expect(await piped("true", ...args)).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(await piped("wc -c | tr -d ' '", ...args)).toEqual({ code: 0, stdout: "5500000\n", stderr: "" });
});

/** `wisbot files add pipe --json`, after a shell has done something about the pipe. */
function addPipe(before: string) {
  const wisbot = [process.execPath, join(import.meta.dir, "../main.ts"), "files", "add", "pipe", "--json"];
  return Bun.spawn(["sh", "-c", `mkfifo pipe; ${before}; exec "$@"`, "sh", ...wisbot], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

test("a pipe, whose length nobody knows, can be added", async () => {
  const child = addPipe("(printf 'from a pipe' > pipe &)");
  expect(await child.exited).toBe(0);
  expect(await asked<object[]>("list")).toMatchObject([{ name: "pipe", size: 11 }]);
});

test("Ctrl+C in the middle gives back what was reserved and leaves no bytes", async () => {
  expect(await asked<object[]>("list")).toEqual([]);
  // It holds the other end of its own pipe, so that the end never comes.
  const child = addPipe("exec 3<>pipe; printf abc >&3");
  await until(async () => (await asked<object[]>("list", "--state", "uploading")).length > 0);
  child.kill("SIGINT");
  expect(await child.exited).toBe(1);
  expect(await new Response(child.stderr).text()).toContain("Error: Interrupted: nothing was left behind.");
  expect(await asked<object[]>("list")).toEqual([]);
  expect(await asked("verify")).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
});

/** Asks again until it is so: each asking is a process of its own, so there is no waiting in between. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

describe("what is typed wrong ends with 2 and says what is right", () => {
  test.each([
    [["list", "--state", "lost"], "pending, uploading, ready, deleting"],
    [["add", "nowhere.txt"], "nowhere.txt can't be read"],
    [["add", "."], "is a folder"],
    [["add", "x", "--expires", "0s"], "above zero"],
    [["add", "x", "--expires", "7"], "such as 30m, 24h or 7d"],
    [["link"], "--owner"],
    [["link", "--owner", "two words"], "without spaces"],
    [["get", "x".repeat(22), "-", "--json"], "stdout"],
    [["rm"], "missing required argument"],
    [["add", "x", "--max-downloads", "0"], "from 1 to 1000000"],
    [["add", "x", "--max-downloads", "1000001"], "from 1 to 1000000"],
    [["audit", "x".repeat(22), "--owner", "me"], "or its owner"],
    [["migrate"], "--to"],
    [["migrate", "--to", "tape"], "disk, s3"],
    [[], "Usage: wisbot files"],
  ])("files %j", async (args, text) => {
    const { code, stdout, stderr } = await files(...args);
    expect(stderr.toLowerCase()).toContain(text.toLowerCase());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
