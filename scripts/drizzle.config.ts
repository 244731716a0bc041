import { defineConfig } from "drizzle-kit";

// Paths are relative to the repository's root, where `bun run migration` runs.
export default defineConfig({ dialect: "sqlite", schema: "./src/store/schema.ts", out: "./drizzle" });
