import { describe, expect, test } from "bun:test";
import { configSchema } from "../config/schema.ts";
import { limitsFrom } from "./limits.ts";
import type { Asker } from "./member.ts";

const ada = "100000000000000001";
const bob = "100000000000000002";
const here = "200000000000000001";
const elsewhere = "200000000000000002";
const patron = "300000000000000001";
const artist = "300000000000000002";

const from = (guildId: string | null, ...roleIds: string[]): Asker => ({ guildId, roleIds });

const files = {
  max_file_size: "1MiB",
  max_files_per_user: 3,
  max_bytes_per_user: "10MB",
  expire_after: "2d",
  max_expire_after: "10d",
};

const everybody = {
  maxFileSize: 1_048_576,
  maxFiles: 3,
  maxBytes: 10_000_000,
  expireAfter: 172_800_000,
  maxExpireAfter: 864_000_000,
  linkExpiresAfter: 3_600_000,
};

test("the limits are those of the config, in bytes and milliseconds", () => {
  const limits = limitsFrom(configSchema.parse({ files, llm: { max_requests_per_minute: 4 } }));
  expect(limits.maxRequestsPerMinute).toBe(4);
  expect(limits.files({ ownerId: ada, asker: from(here, patron) })).toEqual(everybody);
  expect(limits.files({ ownerId: "backup", asker: null })).toEqual(everybody);
});

describe("the first of files.quotas that is for a member holds", () => {
  const quotas = [
    { users: [ada], max_files: 100 },
    { roles: [patron, artist], servers: [here], max_files: 50, max_bytes: "1GB", max_file_size: "500MB" },
    { roles: [patron], max_files: 40 },
    { servers: [elsewhere], max_files: 1, expire_after: "1h", max_expire_after: "2h" },
    { servers: [here, elsewhere], max_files: 7 },
  ];
  const limits = limitsFrom(configSchema.parse({ files: { ...files, quotas } }));

  test.each<[string, string, Asker | null, number]>([
    ["a user by id, wherever they ask", ada, from(elsewhere, patron), 100],
    ["a user by id, whom an admin names on the command line", ada, null, 100],
    ["one of two roles, in its server", bob, from(here, artist), 50],
    ["the same role in another server: not that of both", bob, from(elsewhere, artist), 1],
    ["a role anywhere", bob, from(elsewhere, patron), 40],
    ["a role in a direct message, which knows no roles", bob, from(null), 3],
    ["a server", bob, from(here), 7],
    ["a server that an earlier one names", bob, from(elsewhere), 1],
    ["nobody's entry: everybody's limits", bob, from("200000000000000009"), 3],
    ["an owner whom an admin named", "backup", null, 3],
  ])("%s", (_, ownerId, asker, maxFiles) => {
    expect(limits.files({ ownerId, asker }).maxFiles).toBe(maxFiles);
  });

  test("what an entry leaves out stays as it is for everybody", () => {
    expect(limits.files({ ownerId: ada, asker: null })).toEqual({ ...everybody, maxFiles: 100 });
    expect(limits.files({ ownerId: bob, asker: from(here, patron) })).toEqual({
      ...everybody,
      maxFiles: 50,
      maxBytes: 1e9,
      maxFileSize: 500e6,
    });
    expect(limits.files({ ownerId: bob, asker: from(elsewhere) })).toEqual({
      ...everybody,
      maxFiles: 1,
      expireAfter: 3_600_000,
      maxExpireAfter: 7_200_000,
    });
  });
});

test("who may keep files longer from the start may also choose so long", () => {
  const quotas = [{ users: [ada], expire_after: "60d" }];
  const limits = limitsFrom(configSchema.parse({ files: { ...files, quotas } }));
  const { expireAfter, maxExpireAfter } = limits.files({ ownerId: ada, asker: null });
  expect([expireAfter, maxExpireAfter]).toEqual([60 * 86_400_000, 60 * 86_400_000]);
});

test.each([
  ["an entry that is for nobody", [{ max_files: 3 }]],
  ["an empty list of roles", [{ roles: [], max_files: 3 }]],
  ["a name for an id", [{ users: ["ada"], max_files: 3 }]],
  ["no room at all", [{ users: [ada], max_bytes: "0" }]],
  ["an unknown limit", [{ users: [ada], max_megabytes: 3 }]],
])("%s is refused with the configuration", (_, quotas) => {
  expect(configSchema.safeParse({ files: { quotas } }).success).toBe(false);
});
