import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { createAnnouncementLog } from "./announcements.ts";
import { createAnswerLog } from "./answers.ts";
import { connect, setPragmas, trackStatements } from "./connection.ts";
import { databasePath } from "./data-dir.ts";
import { createFileIndex } from "./files.ts";
import { openTestStore, quiet } from "./open-test-store.ts";

interface Plan {
  sql: string;
  steps: string[];
}

/** How SQLite carries out every statement of the store, listings with each filter included. */
async function allPlans(): Promise<Plan[]> {
  await using opened = await openTestStore();
  const client = new Database(databasePath(opened.dataDir));
  const close = trackStatements(client);
  setPragmas(client);
  const connection = await connect({ client, log: quiet });
  const seen = new Set<string>();
  const prepare = client.prepare;
  client.prepare = new Proxy(prepare, {
    apply(target, self, input) {
      seen.add(String(input[0]));
      return Reflect.apply(target, self, input);
    },
  });

  const files = createFileIndex(connection);
  createAnnouncementLog(connection);
  createAnswerLog(connection);
  const after = { id: "x", createdAt: 1 };
  for (const filter of [
    {},
    { ownerId: "1" },
    { states: ["uploading" as const] },
    { states: ["deleting" as const] },
  ]) {
    await files.list({ ...filter, limit: 1 });
    await files.list({ ...filter, after, limit: 1 });
  }
  const plans = [...seen].map((sql) => {
    const explain = prepare.call(client, `EXPLAIN QUERY PLAN ${sql}`);
    const nulls = Array.from({ length: explain.paramsCount }, () => null);
    return { sql, steps: explain.all(...nulls).map((step) => (step as { detail: string }).detail) };
  });
  await connection.close();
  close();
  return plans;
}

const plans = await allPlans();

/** The plans of the statements that contain this text. */
function planOf(text: string): string[] {
  const found = plans.filter(({ sql }) => sql.includes(text));
  if (found.length === 0) throw new Error(`no statement with ${text}`);
  return found.flatMap(({ steps }) => steps);
}

test("no statement reads a whole table, nor sorts one", () => {
  expect(plans.length).toBeGreaterThan(30);
  const tables = /^SCAN (?:files|other|tombstones|announcements|answers)$/;
  const slow = plans.filter(({ steps }) =>
    steps.some((step) => tables.test(step) || step.includes("TEMP B-TREE")),
  );
  expect(slow).toEqual([]);
});

test.each([
  [
    "what has expired",
    `set "state" = ? where rowid`,
    "SEARCH files USING COVERING INDEX files_expiry (expires_at<?)",
  ],
  [
    "links that have expired",
    `set "state" = ? where rowid`,
    "SEARCH files USING COVERING INDEX files_link_expiry (link_expires_at<?)",
  ],
  ["an owner's usage", "held_bytes", "SEARCH other USING COVERING INDEX files_owner (owner_id=?)"],
  ["a ticket", `"ticket_hash" = ? and`, "SEARCH files USING INDEX files_ticket (ticket_hash=?)"],
  ["dead uploads", `"alive_at" < ?`, "SCAN files USING INDEX files_uploading"],
  [
    "half-done deletions",
    `"state" = 'deleting' order by "files"."created_at", "files"."id"`,
    "SCAN files USING INDEX files_deleting",
  ],
  ["old tombstones", `"tombstones"."at" < ?`, "SEARCH tombstones USING COVERING INDEX tombstones_at (at<?)"],
  ["due announcements", `"due_at" <= ?`, "SEARCH announcements USING INDEX announcements_due (due_at<?)"],
  ["the next announcement", `min("due_at")`, "SEARCH announcements USING INDEX announcements_due"],
  ["unfinished answers", `"ended_at" is null order by`, "SCAN answers USING INDEX answers_unfinished"],
  [
    "old answers",
    `"answers"."ended_at" < ?`,
    "SEARCH answers USING COVERING INDEX answers_ended (ended_at>? AND ended_at<?)",
  ],
])("%s is found by an index of its own", (_, text, step) => {
  expect(planOf(text)).toContain(step);
});

test.each([
  ["everything", `from "files" order by`, "SCAN files USING INDEX files_newest"],
  [
    "everything, a later page",
    `from "files" where ("files"."created_at"`,
    "SEARCH files USING INDEX files_newest ((created_at,id)<(?,?))",
  ],
  [
    "an owner's",
    `from "files" where "files"."owner_id" = ? order by`,
    "SEARCH files USING INDEX files_owner (owner_id=?)",
  ],
  [
    "an owner's, a later page",
    `"owner_id" = ? and ("files"."created_at"`,
    "SEARCH files USING INDEX files_owner (owner_id=? AND (created_at,id)<(?,?))",
  ],
  [
    "what is being sent",
    `"state" = 'uploading' order by "files"."created_at" desc`,
    "SCAN files USING INDEX files_uploading",
  ],
])("a page of %s is read off an index", (_, text, step) => {
  expect(planOf(text)).toContain(step);
});
