import {
  getTableColumns,
  type InferSelectModel,
  type SQL,
  type SQLWrapper,
  sql,
  type Table,
} from "drizzle-orm";

/** A value that is handed in when the prepared statement runs. */
export function given<T>(name: string): SQL<T> {
  return sql<T>`${sql.placeholder(name)}`;
}

/** A whole row of `table`, every column handed in under its own name: what an insert … select selects. */
export function givenRow(table: Table): SQL {
  return rowOf(table, {});
}

/** The same with some of the columns taken from elsewhere. */
export function rowOf<T extends Table>(
  table: T,
  taken: Partial<Record<keyof InferSelectModel<T>, SQLWrapper>>,
): SQL {
  const columns = Object.keys(getTableColumns(table)) as (keyof InferSelectModel<T> & string)[];
  return sql.join(
    columns.map((column) => sql`${taken[column] ?? given(column)}`),
    sql`, `,
  );
}

/** Values for every column of a table, as `givenRow` takes them in: JSON as text. */
export type Row<T extends Table> = Record<keyof InferSelectModel<T>, string | number | null>;
