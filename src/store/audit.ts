import { and, desc, eq, getTableColumns, lt, sql } from "drizzle-orm";
import type { AuditLog } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { audit } from "./schema.ts";
import { given } from "./sql.ts";

/** What happened to files. A trigger of the database refuses to change an entry; only age takes one away. */
export function createAuditLog({ db, run }: Connection): AuditLog {
  const { id: _id, ...columns } = getTableColumns(audit);
  const names = Object.keys(columns) as (keyof typeof columns)[];
  const add = db
    .insert(audit)
    .values({
      at: given("at"),
      fileId: given("fileId"),
      ownerId: given("ownerId"),
      name: given("name"),
      action: given("action"),
      who: given("who"),
    } satisfies Record<(typeof names)[number], unknown>)
    .prepare();
  const page = (by: "file" | "owner" | "all") =>
    db
      .select()
      .from(audit)
      .where(
        and(
          by === "file" ? eq(audit.fileId, given("fileId")) : undefined,
          by === "owner" ? eq(audit.ownerId, given("ownerId")) : undefined,
          lt(audit.id, given("before")),
        ),
      )
      .orderBy(desc(audit.id))
      .limit(sql.placeholder("limit"))
      .prepare();
  const pages = { file: page("file"), owner: page("owner"), all: page("all") };
  const drop = db
    .delete(audit)
    .where(
      sql`${audit.id} in (select ${audit.id} from ${audit} where ${audit.at} < ${given("before")} order by ${audit.at} limit ${given("limit")})`,
    )
    .returning({ id: audit.id })
    .prepare();

  return {
    add: (entries) =>
      run(() =>
        db.transaction(
          () => {
            for (const entry of entries) add.run({ ...entry });
          },
          { behavior: "immediate" },
        ),
      ),
    list: ({ fileId, ownerId, before = Number.MAX_SAFE_INTEGER, limit }) =>
      run(() => {
        if (fileId !== undefined) return pages.file.all({ fileId, before, limit });
        if (ownerId !== undefined) return pages.owner.all({ ownerId, before, limit });
        return pages.all.all({ before, limit });
      }),
    drop: (before, limit) => run(() => drop.all({ before, limit }).length),
  };
}
