import { expect, test } from "bun:test";
import { configSchema } from "../config/schema.ts";
import { limitsFrom } from "./limits.ts";

test("the limits are those of the config, in bytes and milliseconds", () => {
  const config = configSchema.parse({
    files: { max_file_size: "1MiB", max_files_per_user: 3, expire_after: "2d" },
    llm: { max_requests_per_minute: 4 },
  });
  expect(limitsFrom(config)).toEqual({
    files: {
      maxFileSize: 1_048_576,
      maxFiles: 3,
      maxBytes: 2e9,
      expireAfter: 172_800_000,
      linkExpiresAfter: 3_600_000,
    },
    maxRequestsPerMinute: 4,
  });
});
