import type { Database } from "bun:sqlite";
import type { FileIndex, FileRow } from "../files/ports.ts";
import type { Connection } from "./connection.ts";

const MAX_ROWS = 1_000;

export interface RowMemoryDeps {
  /** The connection's own. */
  client: Database;
  run: Connection["run"];
  index: FileIndex;
}

/**
 * The same index, which reads a row again only when the database has changed: to read all of its columns takes four
 * times as long as to ask for that, and a download is little more than such a read. SQLite counts what others commit
 * (https://sqlite.org/pragma.html#pragma_data_version), and what this connection changes
 * (https://sqlite.org/c3ref/total_changes.html).
 */
export function rememberRows({ client, run, index }: RowMemoryDeps): FileIndex {
  const byOthers = client.prepare<{ data_version: number }, []>("PRAGMA data_version");
  const byUs = client.prepare<{ changes: number }, []>("SELECT total_changes() AS changes");
  const rows = new Map<string, FileRow>();
  let state = { others: 0, us: 0 };
  let lookedAt = 0;

  /** Forgets everything unless the database is what it was. */
  function look(): void {
    const others = othersChanges();
    const us = byUs.get()?.changes ?? 0;
    if (others === state.others && us === state.us) return;
    state = { others, us };
    rows.clear();
  }

  /** Asked once a millisecond: who asks that soon after a change could as well have come before it. */
  function othersChanges(): number {
    const now = performance.now();
    if (now - lookedAt < 1) return state.others;
    lookedAt = now;
    return byOthers.get()?.data_version ?? 0;
  }

  return {
    ...index,
    async find(id) {
      await run(look);
      const known = rows.get(id);
      if (known) return known;
      const before = state;
      const row = await index.find(id);
      // Somebody may have looked since the row was read, and found it changed.
      if (!row || state !== before) return row;
      if (rows.size >= MAX_ROWS) rows.clear();
      // Many are given the same one.
      rows.set(id, Object.freeze(row));
      return row;
    },
  };
}
