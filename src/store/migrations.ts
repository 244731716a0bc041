import { join } from "node:path";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";

/**
 * The migrations as drizzle reads them. Called as a macro: it runs while wisbot is transpiled or built, so that the
 * binary needs no folder beside it.
 */
export function embeddedMigrations(): MigrationMeta[] {
  return readMigrationFiles({ migrationsFolder: join(import.meta.dir, "../../drizzle") });
}
