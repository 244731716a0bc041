import type { Config } from "../config/schema.ts";

/** What one member may keep. Sizes in bytes, times in milliseconds. */
export interface FileLimits {
  maxFileSize: number;
  /** Files and open links together. */
  maxFiles: number;
  /** Stored and reserved bytes together. */
  maxBytes: number;
  /** From the end of the upload. */
  expireAfter: number;
  /** Life of an unused upload link. */
  linkExpiresAfter: number;
}

export interface Limits {
  files: FileLimits;
  /** LLM questions in any 60 seconds. */
  maxRequestsPerMinute: number;
}

/** The limits that apply to a member. Everybody's are the same today; quotas by role will take the member in. */
export function limitsFrom(config: Pick<Config, "files" | "llm">): Limits {
  const { files, llm } = config;
  return {
    files: {
      maxFileSize: files.max_file_size,
      maxFiles: files.max_files_per_user,
      maxBytes: files.max_bytes_per_user,
      expireAfter: files.expire_after,
      linkExpiresAfter: files.link_expires_after,
    },
    maxRequestsPerMinute: llm.max_requests_per_minute,
  };
}
