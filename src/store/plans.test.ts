import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { createAdminKeys } from "./admin-keys.ts";
import { createAnnouncementLog } from "./announcements.ts";
import { createAttemptLog } from "./attempts.ts";
import { createAuditLog } from "./audit.ts";
import { createBlobIndex } from "./blob-index.ts";
import { connect, setPragmas, trackStatements } from "./connection.ts";
import { databasePath } from "./data-dir.ts";
import { createDownloadLog } from "./downloads.ts";
import { createFileIndex } from "./files.ts";
import { createKeyRing } from "./keys.ts";
import { createLlmChoices } from "./llm-choices.ts";
import { createMemberChoices } from "./member-choices.ts";
import { openTestStore, quiet } from "./open-test-store.ts";
import { createTokenIndex } from "./tokens.ts";
import { createTurnLog } from "./turns.ts";
import { createUsageLog } from "./usage.ts";

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
  createBlobIndex(connection);
  createDownloadLog(connection);
  createAuditLog(connection);
  createTokenIndex(connection);
  createMemberChoices(connection);
  createKeyRing(connection);
  createAnnouncementLog(connection);
  createTurnLog(connection);
  createAttemptLog(connection);
  createUsageLog(connection);
  createLlmChoices(connection);
  createAdminKeys(connection);
  const after = { id: "x", createdAt: 1 };
  for (const filter of [
    {},
    { ownerId: "1" },
    { states: ["uploading" as const] },
    { states: ["deleting" as const] },
    { states: ["ready" as const] },
    { ownerId: "1", states: ["ready" as const] },
    { ownerId: "1", states: ["pending" as const, "ready" as const] },
  ]) {
    await files.list({ ...filter, limit: 1 });
    await files.list({ ...filter, after, limit: 1 });
    await files.list({ ...filter, members: true, limit: 1 });
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
  expect(plans.length).toBeGreaterThan(110);
  const tables =
    /^SCAN (?:files|other|member|bundle|blobs|download_sessions|audit|tokens|members|keys|tombstones|announcements|turns|before|turn_messages|turn_images|attempts|llm_usage|places|personas|admin_keys|other)$/;
  // Of what is null there may be as many rows as the table has.
  const nulls = "SEARCH files USING INDEX files_ticket (ticket_hash=?)";
  const slow = plans.filter(({ sql, steps }) =>
    steps.some(
      (step) =>
        tables.test(step) ||
        step.includes("TEMP B-TREE") ||
        (step === nulls && !sql.includes(`"ticket_hash" = ?`)),
    ),
  );
  expect(slow).toEqual([]);
});

test.each([
  ["what has expired", `set "state" = ? where rowid`, "SEARCH files USING INDEX files_expiry (expires_at<?)"],
  [
    "links that have expired",
    `set "state" = ? where rowid`,
    "SEARCH files USING COVERING INDEX files_link_expiry (link_expires_at<?)",
  ],
  [
    "what an expired link's bundle has",
    `set "state" = ? where rowid`,
    "SEARCH member USING COVERING INDEX files_parent (parent_id=?)",
  ],
  ["an owner's usage", "held_bytes", "SEARCH other USING COVERING INDEX files_owner (owner_id=?)"],
  ["an owner's next expiry", `min("expires_at")`, "SEARCH files USING INDEX files_owner (owner_id=?)"],
  ["a ticket", `"ticket_hash" = ? and`, "SEARCH files USING INDEX files_ticket (ticket_hash=?)"],
  ["an upload", `"upload_key" = ?`, "SEARCH files USING INDEX files_upload (upload_key=?)"],
  [
    "uploads without a link",
    `+"files"."ticket_hash" is null`,
    "SEARCH files USING INDEX sqlite_autoindex_files_1 (id=?)",
  ],
  ["dead uploads", `"alive_at" < ?`, "SCAN files USING INDEX files_uploading"],
  ["a bundle's files", `left join "blobs"`, "SEARCH files USING INDEX files_parent (parent_id=?)"],
  [
    "how many of a bundle's files are here",
    `"bundle_bytes" = ?`,
    "SEARCH member USING INDEX files_parent (parent_id=?)",
  ],
  [
    "bundles that nobody goes on with",
    `"link_expires_at" <= ? or (select`,
    "SCAN files USING INDEX files_bundles",
  ],
  [
    "files to be reminded of",
    `"reminded_at" = ? where rowid`,
    "SEARCH files USING INDEX files_reminder (expires_at>? AND expires_at<?)",
  ],
  ["half-done deletions", `"state" = 'deleting' and not exists`, "SCAN files USING INDEX files_deleting"],
  ["who else uses a blob", `update "blobs" set "state"`, "SEARCH files USING INDEX files_blob (blob_key=?)"],
  [
    "a blob that nobody uses",
    `delete from "blobs"`,
    "SEARCH files USING COVERING INDEX files_blob (blob_key=?)",
  ],
  ["members that go", "as going join", "SCAN going USING INDEX files_deleting"],
  ["which members go", "as going join", "SEARCH member USING INDEX files_parent (parent_id=?)"],
  [
    "what a replacement left",
    `from "blobs" where ("blobs"."state" = 'deleting'`,
    "SCAN blobs USING INDEX blobs_deleting",
  ],
  [
    "bytes that are replaced",
    `update "files" set "blob_key"`,
    "SEARCH blobs USING INDEX blobs_unshared (sha256=? AND size=?)",
  ],
  ["a blob's files", `"files"."blob_key" = ?`, "SEARCH files USING INDEX files_blob (blob_key=?)"],
  [
    "bytes that are kept already",
    `"sha256" = ?`,
    "SEARCH blobs USING INDEX blobs_content (sha256=? AND size=?)",
  ],
  ["blobs to be read again", `"checked_at" < ?`, "SEARCH blobs USING INDEX blobs_checked (checked_at<?)"],
  ["blobs in one place", `"key" > ?`, "SEARCH blobs USING INDEX blobs_place (place=? AND key>?)"],
  ["how much is in one place", `sum("size") from "blobs"`, "SEARCH blobs USING INDEX blobs_place (place=?)"],
  [
    "a download's session",
    `update "download_sessions"`,
    "SEARCH download_sessions USING INDEX sqlite_autoindex_download_sessions_1 (file_id=? AND who=?)",
  ],
  [
    "old sessions",
    `delete from "download_sessions"`,
    "SEARCH download_sessions USING COVERING INDEX download_sessions_last (last_at<?)",
  ],
  ["old entries of the audit", `delete from "audit"`, "SEARCH audit USING COVERING INDEX audit_at (at<?)"],
  ["a token", `"tokens"."hash" = ?`, "SEARCH tokens USING INDEX tokens_hash (hash=?)"],
  ["old tombstones", `"tombstones"."at" < ?`, "SEARCH tombstones USING COVERING INDEX tombstones_at (at<?)"],
  ["due announcements", `"due_at" <= ?`, "SEARCH announcements USING INDEX announcements_due (due_at<?)"],
  ["the next announcement", `min("due_at")`, "SEARCH announcements USING INDEX announcements_due"],
  ["unfinished turns", `"ended_at" is null order by`, "SCAN turns USING INDEX turns_unfinished"],
  ["old turns", `"turns"."ended_at" < ?`, "SEARCH turns USING INDEX turns_ended (ended_at>? AND ended_at<?)"],
  [
    "what a message shows",
    `"turn_messages"."message_id" = ?`,
    "SEARCH turn_messages USING INDEX sqlite_autoindex_turn_messages_1 (message_id=?)",
  ],
  [
    "the newest of a conversation",
    `"turns"."text" <> ''`,
    "SEARCH turns USING INDEX turns_said (conversation=?)",
  ],
  ["the turn before a turn", "with recursive", "SEARCH before USING INDEX sqlite_autoindex_turns_1 (id=?)"],
  [
    "a member's turns in a channel",
    "'$.channelId' = ?",
    "SEARCH turns USING INDEX turns_channel (user_id=? AND <expr>=?)",
  ],
  [
    "the images of an erased turn",
    `delete from "turns"`,
    "SEARCH turn_images USING COVERING INDEX sqlite_autoindex_turn_images_1 (turn_id=?)",
  ],
  [
    "the messages of an erased turn",
    `delete from "turns"`,
    "SEARCH turn_messages USING COVERING INDEX turn_messages_turn (turn_id=?)",
  ],
  ["a turn's attempts", `"attempts"."turn_id" = ?`, "SEARCH attempts USING INDEX attempts_turn (turn_id=?)"],
  [
    "abandoned attempts",
    `"attempts"."ended_at" is null returning`,
    "SCAN attempts USING INDEX attempts_running",
  ],
  [
    "old attempts",
    `"attempts"."created_at" < ? order by "attempts"."created_at" limit`,
    "SEARCH attempts USING COVERING INDEX attempts_newest (created_at<?)",
  ],
  [
    "votes",
    `"attempts"."outcome" = 'ok'`,
    "SEARCH attempts USING COVERING INDEX attempts_votes (guild_id=?)",
  ],
  [
    "votes everywhere",
    `"attempts"."outcome" = 'ok' group by "attempts"."guild_id"`,
    "SCAN attempts USING COVERING INDEX attempts_votes",
  ],
  [
    "a forgotten member's attempts",
    `"attempts"."user_id" = ? limit`,
    "SEARCH attempts USING COVERING INDEX attempts_user (user_id=?)",
  ],
  [
    "a forgotten member's personas",
    `"personas"."author_id" = ?`,
    "SEARCH personas USING INDEX personas_author (author_id=?)",
  ],
  [
    "old windows of usage",
    `"llm_usage"."since" < ?`,
    "SEARCH llm_usage USING COVERING INDEX llm_usage_since (since<?)",
  ],
  [
    "an admin's session",
    `"admin_keys"."session_hash" = ?`,
    "SEARCH admin_keys USING INDEX admin_keys_session (session_hash=?)",
  ],
  [
    "all that lets admins in",
    `update "admin_keys" set "ends_at" = ? where "admin_keys"."ends_at" > ?`,
    "SEARCH admin_keys USING COVERING INDEX admin_keys_ends (ends_at>?)",
  ],
  [
    "how admins signed in long ago",
    `"admin_keys"."ends_at" < ?`,
    "SEARCH admin_keys USING COVERING INDEX admin_keys_ends (ends_at<?)",
  ],
  [
    "the newest persona",
    `("personas"."place_id", "personas"."version") in`,
    "SEARCH personas USING INDEX sqlite_autoindex_personas_1 (place_id=? AND version=?)",
  ],
])("%s: found by an index of its own", (_, text, step) => {
  expect(planOf(text)).toContain(step);
});

const shares = `"files"."parent_id" is null`;

test.each([
  ["everything", `from "files" order by`, "SCAN files USING INDEX files_newest"],
  ["all shares", `from "files" where ${shares} order by`, "SCAN files USING INDEX files_newest"],
  [
    "all shares, a later page",
    `from "files" where (${shares} and ("files"."created_at"`,
    "SEARCH files USING INDEX files_newest ((created_at,id)<(?,?))",
  ],
  [
    "an owner's shares",
    `from "files" where ("files"."owner_id" = ? and ${shares}) order by`,
    "SEARCH files USING INDEX files_owner (owner_id=?)",
  ],
  [
    "an owner's shares, a later page",
    `"owner_id" = ? and ${shares} and ("files"."created_at"`,
    "SEARCH files USING INDEX files_owner (owner_id=? AND (created_at,id)<(?,?))",
  ],
  [
    "an owner's ready shares, a later page",
    `${shares} and "files"."state" = 'ready' and ("files"."created_at"`,
    "SEARCH files USING INDEX files_owner (owner_id=? AND (created_at,id)<(?,?))",
  ],
  [
    "what is being sent",
    `"state" = 'uploading' order by "files"."created_at" desc`,
    "SCAN files USING INDEX files_uploading",
  ],
  ["a file's audit", `"audit"."file_id" = ?`, "SEARCH audit USING INDEX audit_file (file_id=? AND id<?)"],
  [
    "an owner's audit",
    `"audit"."owner_id" = ?`,
    "SEARCH audit USING INDEX audit_owner (owner_id=? AND id<?)",
  ],
  [
    "the whole audit",
    `from "audit" where "audit"."id" < ?`,
    "SEARCH audit USING INTEGER PRIMARY KEY (rowid<?)",
  ],
  [
    "an owner's tokens",
    `from "tokens" where "tokens"."owner_id" = ? order`,
    "SEARCH tokens USING INDEX tokens_owner (owner_id=?)",
  ],
  [
    "a member's turns",
    `from "turns" where "turns"."user_id" = ? order`,
    "SEARCH turns USING INDEX turns_user (user_id=?)",
  ],
  [
    "a member's turns, a later page",
    `("turns"."created_at", "turns"."id") >`,
    "SEARCH turns USING INDEX turns_user (user_id=? AND (created_at,id)>(?,?))",
  ],
  [
    "the inference history",
    `from "attempts" where ("attempts"."created_at", rowid) < (?, ?) order`,
    "SEARCH attempts USING INDEX attempts_newest (created_at<?)",
  ],
  [
    "a member's inference history",
    `from "attempts" where ("attempts"."user_id" = ? and ("attempts"."created_at", rowid) <`,
    "SEARCH attempts USING INDEX attempts_user (user_id=? AND created_at<?)",
  ],
  [
    "a member's inference history, whole",
    `("attempts"."created_at", rowid) >`,
    "SEARCH attempts USING INDEX attempts_user (user_id=? AND created_at>?)",
  ],
  [
    "a guild's inference history",
    `from "attempts" where ("attempts"."guild_id" = ?`,
    "SEARCH attempts USING INDEX attempts_guild (guild_id=? AND created_at<?)",
  ],
  [
    "a member's inference history in a guild",
    `+"attempts"."guild_id" = ?`,
    "SEARCH attempts USING INDEX attempts_user (user_id=? AND created_at<?)",
  ],
])("a page of %s is read off an index", (_, text, step) => {
  expect(planOf(text)).toContain(step);
});
