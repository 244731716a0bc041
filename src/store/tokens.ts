import { and, eq, getTableColumns, sql } from "drizzle-orm";
import type { TokenIndex } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { tokens } from "./schema.ts";
import { given, givenRow, type Row } from "./sql.ts";

/** API tokens, known by their hashes alone. */
export function createTokenIndex({ db, run, keep }: Connection): TokenIndex {
  const { hash, ...shown } = getTableColumns(tokens);
  const byOwner = eq(tokens.ownerId, given("ownerId"));
  const statements = {
    insert: db
      .insert(tokens)
      .select(
        sql`select ${givenRow(tokens)} where (select count(*) from ${tokens} where ${byOwner}) < ${given("max")}`,
      )
      .returning({ id: tokens.id })
      .prepare(),
    list: db.select(shown).from(tokens).where(byOwner).orderBy(tokens.createdAt, tokens.id).prepare(),
    use: db
      .update(tokens)
      .set({ lastUsedAt: given("now") })
      .where(eq(hash, given("hash")))
      .returning(shown)
      .prepare(),
    remove: db
      .delete(tokens)
      .where(and(eq(tokens.id, given("id")), byOwner))
      .returning({ id: tokens.id })
      .prepare(),
  };

  return {
    insert: ({ asker, ...row }, max) =>
      keep(() => {
        const fresh = { ...row, asker: JSON.stringify(asker) } satisfies Row<typeof tokens>;
        return statements.insert.all({ ...fresh, max }).length === 1;
      }),
    list: (ownerId) => run(() => statements.list.all({ ownerId })),
    use: (hash, now) => run(() => statements.use.get({ hash, now })),
    remove: (id, ownerId) => keep(() => statements.remove.all({ id, ownerId }).length === 1),
  };
}
