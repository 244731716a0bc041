import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDesk } from "../app.ts";
import { loadConfig } from "../config/load.ts";
import { runWisbot } from "../testing/command-line.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";

// Each command is a process of its own, and a test runs several.
setDefaultTimeout(30_000);

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-tokens-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const tokens = (...args: string[]) => runWisbot(["tokens", ...args], { cwd });

async function asked<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await tokens(...args, "--json");
  if (code !== 0) throw new Error(`tokens ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

const ada = "100000000000000001";
const bob = "100000000000000002";
const DAY = 86_400_000;

/** A token of ada's that was used, and one of bob's that was not, as another process would mint them. */
async function mint() {
  await using telemetry = await openTestTelemetry();
  const loaded = await loadConfig({ flags: {}, env: { HOME: cwd }, cwd });
  await using desk = await openDesk(loaded, telemetry.telemetry);
  const { files } = desk;
  const first = await files.mintToken({
    ownerId: ada,
    asker: { guildId: "1", roleIds: ["2"] },
    name: "ShareX",
  });
  const { lastUsedAt } = await files.tokenOf(first.secret);
  const asker = { guildId: null, roleIds: [] };
  const second = await files.mintToken({ ownerId: bob, asker, name: "my laptop" });
  return { first, second, usedAt: lastUsedAt ?? 0 };
}

test("an admin sees whose tokens there are, and until when, but nothing that lets anybody in", async () => {
  expect(await tokens("list")).toMatchObject({ code: 0, stdout: "" });
  const { first, second, usedAt } = await mint();
  const iso = (at: number) => new Date(at).toISOString();
  const listed = await asked<object[]>("list");
  expect(listed).toEqual([
    {
      id: first.id,
      name: "ShareX",
      owner: ada,
      server: "1",
      roles: ["2"],
      created_at: iso(first.createdAt),
      last_used_at: iso(usedAt),
      expires_at: iso(usedAt + 90 * DAY),
    },
    {
      id: second.id,
      name: "my laptop",
      owner: bob,
      server: null,
      roles: [],
      created_at: iso(second.createdAt),
      last_used_at: null,
      expires_at: iso(second.createdAt + 90 * DAY),
    },
  ]);
  expect(await asked<object[]>("list", "--owner", bob)).toMatchObject([{ id: second.id }]);

  const { stdout } = await tokens("list");
  expect(stdout.split("\n")[0]).toMatch(/^ID +NAME +OWNER +CREATED +LAST USED +EXPIRES$/);
  expect(stdout).toMatch(new RegExp(`^${second.id} +my laptop +${bob} +\\S+ \\S+ +– +`, "m"));
  expect(stdout).not.toContain(first.secret.slice(0, 12));
});

test("an admin revokes tokens: each that there is, and fails when one is not", async () => {
  const { first, second } = await mint();
  const { code, stdout } = await tokens("revoke", first.id, "x".repeat(22), "--json");
  expect(code).toBe(1);
  const failed = [{ id: "x".repeat(22), code: "token.unknown", say: expect.any(String) }];
  expect(JSON.parse(stdout)).toEqual({ revoked: [first.id], failed });
  expect(await asked<object[]>("list")).toMatchObject([{ id: second.id }]);
  expect(await tokens("revoke", second.id)).toMatchObject({ code: 0, stdout: `${second.id}\n` });
  expect(await asked<object[]>("list")).toEqual([]);
  expect(await tokens("revoke")).toMatchObject({ code: 2, stdout: "" });
});
