import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { openDesk } from "../app.ts";
import { loadConfig } from "../config/load.ts";
import { cleanEnv, runWisbot, startSession } from "../testing/command-line.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";

// What a sender says about a share, and what is told of it afterwards: bundles, limits, the audit.

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-files-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

// Every command is a process of its own, on a machine that may be busy.
const PATIENCE = 30_000;
const env = { WISBOT_FILES__MIN_FREE_DISK: "1MB" };
const files = (...args: string[]) => runWisbot(["files", ...args], { cwd, env });

async function asked<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await files(...args, "--json");
  if (code !== 0) throw new Error(`files ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** `wisbot files add …` with something on its stdin, which then stays open. */
async function addTyping(typed: string, ...args: string[]) {
  const main = join(import.meta.dir, "../main.ts");
  const child = Bun.spawn([process.execPath, main, "files", "add", ...args], {
    cwd,
    env: cleanEnv({ cwd, env }),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  child.stdin.write(typed);
  await child.stdin.flush();
  const [code, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, stdout, stderr };
}

/** The desk of `cwd`, as another process would have it. */
async function withDesk<T>(run: (desk: Awaited<ReturnType<typeof openDesk>>) => Promise<T>): Promise<T> {
  await using telemetry = await openTestTelemetry();
  await using desk = await openDesk(
    await loadConfig({ flags: {}, env: { HOME: cwd, ...env }, cwd }),
    telemetry.telemetry,
  );
  return await run(desk);
}

/** A bundle of two files. */
async function shareBundle() {
  return await withDesk(async ({ files }) => {
    const { url } = await files.issue({ ownerId: "somebody" });
    const ticket = url.split("/").at(-1) ?? "";
    await files.prepare(ticket, { files: 2, title: "Summer" });
    const { signal } = new AbortController();
    for (const [path, text] of [
      ["trip/one.txt", "one"],
      ["trip/day 2/two.txt", "second"],
    ] as const) {
      const body = new Blob([text]).stream();
      const incoming = { name: path.split("/").at(-1) ?? "", path, contentType: "text/plain", signal, body };
      await files.upload(ticket, { ...incoming, length: text.length });
    }
    const view = await files.inspect(ticket);
    if (view.state !== "used" || !view.file) throw new Error("the bundle is not done");
    return view.file;
  });
}

test(
  "a title, a note, a password from stdin and a number of downloads go with the file",
  async () => {
    writeFileSync(join(cwd, "party.jpg"), "cheese");
    const wishes = ["--title", "The party", "--note", "First line\nsecond", "--max-downloads", "3"];
    const args = ["party.jpg", ...wishes, "--password-stdin", "--expires", "400d", "--json"];
    const { code, stdout, stderr } = await addTyping("open sesame\nnot this line\n", ...args);
    expect({ code }).toEqual({ code: 0 });
    const added = JSON.parse(stdout);
    expect(Object.keys(added)).toEqual(["id", "url", "expires_at"]);
    expect(Date.parse(added.expires_at) - Date.now()).toBeGreaterThan(399 * 86_400_000);
    expect(stderr).not.toContain("sesame");

    const limits = { password: true, downloads: 0, max_downloads: 3 };
    const shown = await asked("show", added.id);
    expect(shown).toMatchObject({ title: "The party", note: "First line\nsecond", ...limits });
    expect(shown).toMatchObject({ bundle: null, files: null, expires_at: added.expires_at });
    expect(await asked<object[]>("list")).toMatchObject([{ title: "The party", files: null, ...limits }]);
    await withDesk(async ({ files }) => {
      const file = await files.get(added.id);
      expect(files.admits(file, [await files.unlock(file, "open sesame", "me")])).toBe(true);
      await files.download(file, "one visitor");
    });
    const told = (await files("show", added.id)).stdout;
    expect(told).toMatch(/^Password +yes$/m);
    expect(told).toMatch(/^Downloads +1 of 3$/m);
    expect(told).toMatch(/^Note +First line\n +second$/m);
  },
  PATIENCE,
);

test(
  "a password that does not come is no password, and nothing is stored",
  async () => {
    writeFileSync(join(cwd, "a.txt"), "a");
    for (const typed of ["\n", ""]) {
      const { code, stdout, stderr } = await runOf(typed);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("There was no password on stdin.");
    }
    expect(await asked<object[]>("list")).toEqual([]);

    function runOf(typed: string) {
      if (typed === "") return files("add", "a.txt", "--password-stdin");
      return addTyping(typed, "a.txt", "--password-stdin");
    }
  },
  PATIENCE,
);

test(
  "the file and its password don't both come from stdin",
  async () => {
    for (const path of ["/dev/stdin", "/dev/fd/0"]) {
      const { code, stdout, stderr } = await addTyping("open sesame\nthe file\n", path, "--password-stdin");
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("can't both come from stdin");
    }
    expect(await asked<object[]>("list")).toEqual([]);
  },
  PATIENCE,
);

test(
  "at a terminal the password is asked for, and not shown",
  async () => {
    writeFileSync(join(cwd, "a.txt"), "a");
    await using session = startSession(["files", "add", "a.txt", "--password-stdin"], { cwd, env });
    await session.shows("Password");
    session.type("open sesame\r");
    await session.shows("/f/");
    expect(await session.exited).toBe(0);
    expect(session.screen()).not.toContain("sesame");
    expect(await asked<object[]>("list")).toMatchObject([{ password: true }]);
  },
  PATIENCE,
);

test(
  "a bundle is listed with its number of files, shown with each of them, and written as a ZIP",
  async () => {
    const bundle = await shareBundle();
    expect(await asked<object[]>("list")).toMatchObject([
      { id: bundle.id, name: "Summer.zip", size: 9, files: 2, title: "Summer", state: "ready" },
    ]);
    const listed = (await files("list")).stdout.split("\n")[1]?.split(/ {2,}/);
    expect(listed?.slice(1, 4)).toEqual(["Summer.zip", "2", "9 B"]);

    const shown = await asked<{ files: { id: string }[] }>("show", bundle.id);
    expect(shown.files).toMatchObject([
      { path: "trip/day 2/two.txt", size: 6 },
      { path: "trip/one.txt", size: 3 },
    ]);
    const member = shown.files[1]?.id ?? "";
    expect(await asked("show", member)).toMatchObject({ bundle: bundle.id, files: null, name: "one.txt" });
    expect((await files("show", bundle.id)).stdout).toContain(`${member}  3 B  trip/one.txt`);

    const got = await asked<{ path: string; size: number; sha256: string }>("get", bundle.id, "out.zip");
    const bytes = readFileSync(join(cwd, "out.zip"));
    const written = { path: "out.zip", size: bytes.length, sha256: sha256(bytes) };
    expect(got).toMatchObject(written);
    await $`unzip -q out.zip`.cwd(cwd);
    expect(readFileSync(join(cwd, "trip/day 2/two.txt"), "utf8")).toBe("second");
    expect((await files("get", bundle.id, "-")).stdout).toBe(new TextDecoder().decode(bytes));
    expect((await files("get", member, "-")).stdout).toBe("one");

    expect(await asked("rm", bundle.id)).toEqual({ removed: [bundle.id], failed: [] });
    expect(await asked("verify")).toEqual({ rows_without_bytes: [], bytes_without_rows: [], corrupt: [] });
  },
  PATIENCE,
);

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

test(
  "the audit tells newest first what happened to whose files, and names no address",
  async () => {
    const none = await files("audit");
    expect(none).toMatchObject({ code: 0, stdout: "" });
    expect(none.stderr).toContain("Nothing has happened yet");

    const { first, other } = await withDesk(async ({ files }) => {
      const { signal } = new AbortController();
      const incoming = (name: string) => {
        return { name, contentType: undefined, length: 1, body: new Blob(["x"]).stream(), signal };
      };
      const first = await files.add({ ownerId: "me", by: "admin" }, incoming("first.txt"));
      const other = await files.add({ ownerId: "you" }, incoming("other.txt"));
      await files.download(first, "192.0.2.1 curl");
      return { first, other };
    });
    await files("rm", first.id);

    const all = await asked<Record<string, string>[]>("audit");
    expect(all).toMatchObject([
      { action: "deleted", who: "admin", name: "first.txt", id: first.id, owner: "me" },
      { action: "downloaded", who: expect.stringMatching(/^[\w-]{16}$/), name: "first.txt", id: first.id },
      { action: "uploaded", who: "you", name: "other.txt", id: other.id, owner: "you" },
      { action: "uploaded", who: "admin", name: "first.txt", id: first.id },
    ]);
    expect(new Date(all[0]?.at ?? "").getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(JSON.stringify(all)).not.toContain("192.0.2.1");
    expect(await asked<object[]>("audit", first.id)).toHaveLength(3);
    expect(await asked<object[]>("audit", "--owner", "you")).toMatchObject([{ id: other.id }]);
    expect(await asked<object[]>("audit", "--limit", "1")).toMatchObject([{ action: "deleted" }]);
    const table = (await files("audit", "--limit", "2")).stdout.trim().split("\n");
    expect(table[0]).toMatch(/^WHEN +WHAT +WHO +NAME +ID$/);
    expect(table.slice(1)).toEqual([
      expect.stringMatching(/ deleted +admin /),
      expect.stringMatching(/ downloaded +/),
    ]);
  },
  PATIENCE,
);

test(
  "moving files needs a second store to be configured",
  async () => {
    for (const to of ["s3", "disk"]) {
      const { code, stdout, stderr } = await files("migrate", "--to", to);
      expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
      expect(stderr).toContain("Error: There is no S3 store in the configuration");
      expect(stderr).toContain("Try: Describe it under files.s3");
    }
  },
  PATIENCE,
);
