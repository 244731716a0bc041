import { and, eq, getTableColumns, gt, sql } from "drizzle-orm";
import type { TokenIndex } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { lastSeen, tokens } from "./schema.ts";
import { given, givenRow, type Row } from "./sql.ts";

/** API tokens, known by their hashes alone. */
export function createTokenIndex({ db, run, keep }: Connection): TokenIndex {
  const { hash, ...shown } = getTableColumns(tokens);
  const byId = eq(tokens.id, given("id"));
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
    all: db.select(shown).from(tokens).orderBy(tokens.ownerId, tokens.createdAt, tokens.id).prepare(),
    use: db
      .update(tokens)
      .set({ lastUsedAt: given("now") })
      .where(and(eq(hash, given("hash")), gt(lastSeen(tokens), given("idleSince"))))
      .returning(shown)
      .prepare(),
    refresh: db
      .update(tokens)
      .set({ asker: given("asker") })
      .where(
        and(
          byOwner,
          sql`${tokens.asker} ->> '$.guildId' is ${given("guildId")}`,
          sql`${tokens.asker} <> ${given("asker")}`,
        ),
      )
      .prepare(),
    removeOwn: db.delete(tokens).where(and(byId, byOwner)).returning({ id: tokens.id }).prepare(),
    removeAny: db.delete(tokens).where(byId).returning({ id: tokens.id }).prepare(),
    drop: db
      .delete(tokens)
      .where(
        sql`${tokens.id} in (select ${tokens.id} from ${tokens} where ${lastSeen(tokens)} < ${given("before")} limit ${given("limit")})`,
      )
      .returning({ id: tokens.id })
      .prepare(),
  };

  return {
    insert: ({ asker, ...row }, max) =>
      keep(() => {
        const fresh = { ...row, asker: JSON.stringify(asker) } satisfies Row<typeof tokens>;
        return statements.insert.all({ ...fresh, max }).length === 1;
      }),
    list: (ownerId) =>
      run(() => (ownerId === undefined ? statements.all.all() : statements.list.all({ ownerId }))),
    use: (hash, at) => run(() => statements.use.get({ hash, ...at })),
    refresh: (ownerId, asker) =>
      run(() => {
        statements.refresh.run({ ownerId, asker: JSON.stringify(asker), guildId: asker.guildId });
      }),
    remove: (id, ownerId) =>
      keep(() => {
        const { removeAny, removeOwn } = statements;
        return (ownerId === undefined ? removeAny.all({ id }) : removeOwn.all({ id, ownerId })).length === 1;
      }),
    drop: (before, limit) => run(() => statements.drop.all({ before, limit }).length),
  };
}
