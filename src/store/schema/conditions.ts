import { type SQL, sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";

/**
 * `column = 'word'` with the word in the text: SQLite uses a partial index only where the query repeats its condition,
 * and a bound parameter does not.
 */
export function is<Word extends string>(
  column: AnySQLiteColumn<{ data: Word; enumValues: [Word, ...Word[]] | Word[] }>,
  word: NoInfer<Word>,
): SQL {
  return sql`${column} = ${quoted(word)}`;
}

/** `column in ('one', 'other')`, for the same reason. */
export function oneOf(column: AnySQLiteColumn, words: readonly string[]): SQL {
  return sql`${column} in (${sql.join(words.map(quoted), sql`, `)})`;
}

function quoted(word: string): SQL {
  if (!/^[a-z0-9.]+$/.test(word)) throw new Error(`not a word of the schema: ${word}`);
  return sql.raw(`'${word}'`);
}
