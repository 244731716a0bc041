import { and, desc, eq, isNull, sql } from "drizzle-orm";
import type { FileIndex, FileRow } from "../files/ports.ts";
import type { Connection } from "./connection.ts";
import { fileRow } from "./file-rows.ts";
import { files, is, oneOf } from "./schema.ts";
import { given } from "./sql.ts";

type Listing = Parameters<FileIndex["list"]>[0];

/** Listings, newest first. Each combination of filters is a statement of its own, prepared when it is first asked. */
export function createFilePages(db: Connection["db"]) {
  const prepared = new Map<string, ReturnType<typeof preparePage>>();

  function statementFor(listing: Listing) {
    const { ownerId, after, states, members = false } = listing;
    const key = JSON.stringify([ownerId !== undefined, after !== undefined, members, states?.toSorted()]);
    const statement = prepared.get(key) ?? preparePage(db, listing);
    prepared.set(key, statement);
    return statement;
  }

  return {
    read(listing: Listing): FileRow[] {
      const { ownerId = "", after, limit } = listing;
      return statementFor(listing).all({ ownerId, at: after?.createdAt ?? 0, id: after?.id ?? "", limit });
    },
  };
}

function preparePage(db: Connection["db"], { ownerId, after, states, members }: Listing) {
  const [onlyState, ...more] = states ?? [];
  return db
    .select(fileRow)
    .from(files)
    .where(
      and(
        ownerId === undefined ? undefined : eq(files.ownerId, given("ownerId")),
        members ? undefined : isNull(files.parentId),
        // Alone, a state's own index serves the page.
        onlyState !== undefined && more.length === 0 ? is(files.state, onlyState) : undefined,
        states !== undefined && states.length !== 1 ? oneOf(files.state, states) : undefined,
        // The pair, not the id's row: that one may be gone when the next page is asked for.
        after && sql`(${files.createdAt}, ${files.id}) < (${given("at")}, ${given("id")})`,
      ),
    )
    .orderBy(desc(files.createdAt), desc(files.id))
    .limit(sql.placeholder("limit"))
    .prepare();
}
