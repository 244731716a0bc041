import type { Config } from "../config/schema.ts";
import type { Asker } from "./member.ts";

/** What one member may keep. Sizes in bytes, times in milliseconds. */
export interface FileLimits {
  maxFileSize: number;
  /** Shares and open links together; a bundle is one. */
  maxFiles: number;
  /** Stored and reserved bytes together. */
  maxBytes: number;
  /** From the end of the upload, unless its sender says otherwise. */
  expireAfter: number;
  /** The longest that a sender may say. */
  maxExpireAfter: number;
  /** Life of an unused upload link. */
  linkExpiresAfter: number;
}

/** What one member may ask models for, in one period. Undefined: any number. */
export interface LlmLimits {
  requests: number | undefined;
  /** Read and written together. */
  tokens: number | undefined;
  /** Milliseconds of a host's time. */
  gpuMs: number | undefined;
  /** Higher waits before lower. */
  priority: number;
}

/** Whose limits: an owner, as and where they asked. An admin on the command line asks from nowhere. */
export interface LimitedMember {
  ownerId: string;
  asker: Asker | null;
}

export interface Limits {
  /** What `member` may keep, by the first of `files.quotas` that is meant for them. */
  files(member: LimitedMember): FileLimits;
  /** What `member` may ask for, by the first of `llm.quotas` that is meant for them. */
  llm(member: LimitedMember): LlmLimits;
  /** LLM questions in any 60 seconds. */
  maxRequestsPerMinute: number;
}

/** For whom an entry of a quota list is. */
type For = Pick<Config["files"]["quotas"][number], "users" | "roles" | "servers">;

/** The limits that apply to members. */
export function limitsFrom(config: Pick<Config, "files" | "llm">): Limits {
  const { files, llm } = config;
  const everybody = limitsOf(files, undefined);
  const quotas = files.quotas.map((quota) => ({ quota, limits: limitsOf(files, quota) }));
  return {
    files: (member) => quotas.find(({ quota }) => isFor(quota, member))?.limits ?? everybody,
    llm: (member) => llmLimitsOf(llm.quotas.find((quota) => isFor(quota, member))),
    maxRequestsPerMinute: llm.max_requests_per_minute,
  };
}

/** All that a quota names must be true of the member; of several ids in one list, one. */
function isFor({ users, roles, servers }: For, { ownerId, asker }: LimitedMember): boolean {
  const isUser = users === undefined || users.includes(ownerId);
  const hasRole = roles === undefined || (asker?.roleIds.some((id) => roles.includes(id)) ?? false);
  const isThere = servers === undefined || (asker?.guildId != null && servers.includes(asker.guildId));
  return isUser && hasRole && isThere;
}

function llmLimitsOf(quota: Config["llm"]["quotas"][number] | undefined): LlmLimits {
  const { requests, tokens, gpu_time: gpuMs, priority = 0 } = quota ?? {};
  return { requests, tokens, gpuMs, priority };
}

function limitsOf(files: Config["files"], quota: Config["files"]["quotas"][number] | undefined): FileLimits {
  const expireAfter = quota?.expire_after ?? files.expire_after;
  return {
    maxFileSize: quota?.max_file_size ?? files.max_file_size,
    maxFiles: quota?.max_files ?? files.max_files_per_user,
    maxBytes: quota?.max_bytes ?? files.max_bytes_per_user,
    expireAfter,
    maxExpireAfter: Math.max(expireAfter, quota?.max_expire_after ?? files.max_expire_after),
    linkExpiresAfter: files.link_expires_after,
  };
}
