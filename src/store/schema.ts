// Every table, by its noun. Changing anything takes `bun run migration` and a fixture beside the others: see
// migrations.test.ts. Times are milliseconds since the epoch, sizes bytes.
export * from "./schema/conditions.ts";
export * from "./schema/files.ts";
export * from "./schema/llm.ts";
export * from "./schema/members.ts";
