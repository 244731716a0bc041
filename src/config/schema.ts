import { isIP } from "node:net";
import { z } from "zod";
import { parseBytes } from "../lib/bytes.ts";
import { formatDuration, parseDuration } from "../lib/duration.ts";
import { logFormats, logLevels } from "./log-options.ts";

// Every key stands here once, with its default, its bounds and the words that the JSON schema shows.
// The parsed values are what the rest of wisbot sees: sizes in bytes, durations in milliseconds.
// A schema's error message is what it expects ("a port from 1 to 65535"): load.ts adds what it got, and where.

/** Where Ollama listens unless it is told otherwise. */
export const OLLAMA_URL = "http://127.0.0.1:11434";

/** A string or number that `parse` turns into a number above zero. */
const measure = (expected: string, parse: (text: string) => number | undefined) =>
  z.union([z.string(), z.number()], expected).transform((value, context) => {
    const parsed = parse(String(value));
    if (parsed !== undefined && parsed > 0) return parsed;
    context.issues.push({ code: "custom", message: expected, input: value });
    return z.NEVER;
  });

const size = measure("a size above zero such as 250MB or 2GiB", parseBytes);
const duration = measure("a duration above zero such as 30s, 24h or 7d", parseDuration);
const text = z.string("text").min(1, "text");
const word = z.string("text without spaces").regex(/^\S+$/, "text without spaces");
const secret = word.meta({ writeOnly: true });
const count = z.int("a whole number above zero").positive("a whole number above zero");
const port = z
  .int("a port from 1 to 65535")
  .min(1, "a port from 1 to 65535")
  .max(65535, "a port from 1 to 65535");
const flag = z.boolean("true or false");
const url = z.url({ protocol: /^https?$/, error: "an address that starts with http:// or https://" });
const baseUrl = url.refine((value) => !/[?#]/.test(value), "an address without ? and #");
const snowflake = z
  .string("a Discord id of 17 to 20 digits")
  .regex(/^\d{17,20}$/, "a Discord id of 17 to 20 digits");
const oneOf = <const T extends readonly string[]>(values: T) => z.enum(values, `one of ${values.join(", ")}`);
const list = <T extends z.ZodType>(item: T) => z.array(item, "a list such as [a, b]");
const section = <T extends z.ZodRawShape>(keys: T) => z.strictObject(keys, "keys and values");

/** An address, a CIDR range, or one of the three names that proxy-addr knows. */
function isPeerRange(value: string): boolean {
  if (["loopback", "linklocal", "uniquelocal"].includes(value)) return true;
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const peer = z
  .string("an IP address or range")
  .refine(isPeerRange, "an IP address or a range such as 10.0.0.0/8");

const whole = z.int("a whole number");
const headerName = z.string("a header's name").regex(/^[!#$%&'*+.^_`|~\w-]+$/, "a header's name");
const headerText = z
  .string("text on one line")
  .regex(/^[^\0\r\n]+$/, "text on one line")
  .meta({ writeOnly: true });

const host = section({
  name: word.default("local").describe("How messages and logs call it."),
  kind: oneOf(["ollama", "openai"])
    .default("ollama")
    .describe(
      "openai: any server with an OpenAI-compatible API; its url ends where /chat/completions follows.",
    ),
  url: baseUrl.default(OLLAMA_URL).describe("$OLLAMA_HOST is the default."),
  slots: count.default(1).describe("Answers at once."),
  priority: whole.default(0).describe("Higher is asked first, where several could answer."),
  models: list(word)
    .default([])
    .describe("The only ones that it is asked for; * stands for anything. Empty: all that it holds."),
  headers: z
    .record(headerName, headerText, "header names and their values")
    .default({})
    .describe("Sent with every request, such as an Authorization that holds its key."),
  context: count
    .optional()
    .describe("Tokens that a question may take with its answer, where the host does not say."),
});

const llmQuota = section({
  users: list(snowflake).min(1, "at least one id").optional().describe("Members by id."),
  roles: list(snowflake).min(1, "at least one id").optional().describe("Members with one of these roles."),
  servers: list(snowflake).min(1, "at least one id").optional().describe("Members who ask there."),
  requests: count.optional().describe("Questions."),
  tokens: count.optional().describe("Read and written together."),
  gpu_time: duration.optional().describe("Of a host's time."),
  priority: whole.optional().describe("Higher waits before lower. 0 is everybody's."),
});

const hosts = list(host)
  .min(1, "at least one host")
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, "hosts with different names");

const s3 = section({
  endpoint: baseUrl,
  bucket: word,
  region: word.default("us-east-1"),
  prefix: text
    .regex(/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/, "letters, digits, . _ - and / in between")
    .default("wisbot")
    .describe("What its keys begin with: one for each wisbot."),
  access_key_id: secret,
  secret_access_key: secret,
  presign: flag
    .default(true)
    .describe(
      "Downloads go to the store itself. false: through wisbot, for a store that only wisbot can reach.",
    ),
});

const quota = section({
  users: list(snowflake).min(1, "at least one id").optional().describe("Members by id."),
  roles: list(snowflake).min(1, "at least one id").optional().describe("Members with one of these roles."),
  servers: list(snowflake).min(1, "at least one id").optional().describe("Members who ask there."),
  max_file_size: size.optional(),
  max_files: count.optional(),
  max_bytes: size.optional(),
  expire_after: duration.optional(),
  max_expire_after: duration.optional(),
}).refine(
  ({ users, roles, servers }) => (users ?? roles ?? servers) !== undefined,
  "users, roles or servers that it is for",
);

/** 30 days. */
const MAX_EXPIRE_AFTER = 30 * 86_400_000;

interface Lives {
  expire_after?: number | undefined;
  max_expire_after?: number | undefined;
}

/** Nobody may choose less than they are given unasked: one of the two was meant otherwise. */
function refuseShortMaximums(
  { quotas, ...files }: Lives & { quotas: Lives[] },
  context: z.core.$RefinementCtx,
): void {
  const lives = [{ lives: files, path: [] }, ...quotas.map((lives, at) => ({ lives, path: ["quotas", at] }))];
  for (const { lives: own, path } of lives) {
    const { expire_after: life = files.expire_after ?? 0, max_expire_after: longest = life } = own;
    if (longest >= life) continue;
    const message = `${formatDuration(life)} or more, as long as expire_after`;
    context.addIssue({ code: "custom", path: [...path, "max_expire_after"], message });
  }
}

// `prefault` parses the default, so that a missing section is filled in by its own keys' defaults.
export const configSchema = section({
  data_dir: text.optional().describe("Database and files. Relative to this file. Default: data beside it."),
  discord: section({
    token: secret.optional().describe("Bot token; or token_file, or $DISCORD_TOKEN. Unset: Discord is off."),
    token_file: text.optional().describe("A file that holds the bot token."),
    guild_ids: list(snowflake).default([]).describe("Register commands there at once; empty: globally."),
    message_content: flag
      .default(false)
      .describe(
        "Read all messages where a channel is set so; the intent has to be granted in Discord's portal.",
      ),
    api: baseUrl.default("https://discord.com/api").describe("Base of the REST API."),
    cdn: list(word)
      .default(["cdn.discordapp.com", "media.discordapp.net"])
      .describe(
        "Hosts that attachments may come from: host, host:port, or a whole origin such as http://10.0.0.5:9000.",
      ),
  })
    .describe("The bot.")
    .prefault({}),
  llm: section({
    hosts: hosts.prefault([{}]).describe("Servers that run models."),
    model: word.default("llama3.2").describe("What is asked where nobody has chosen another."),
    allow_models: list(word)
      .default([])
      .describe("The only models that may be chosen; * stands for anything. Empty: all that hosts hold."),
    context: count
      .optional()
      .describe(
        "Tokens that a question may take with all that came before it and its answer. Default: what the host says.",
      ),
    keep_alive: duration.prefault("24h").describe("How long the host keeps the model loaded."),
    timeout: duration.prefault("5m").describe("From the moment it has a slot."),
    max_requests_per_minute: count.default(10).describe("A user."),
    max_queue: count.default(100).describe("Questions that may wait."),
    quotas: list(llmQuota)
      .default([])
      .describe(
        "How much some, or all, may ask for: the first entry that is for a member holds. None: any number.",
      ),
    quota_period: duration.prefault("1d").describe("After so long, quotas count from nothing again."),
    pull: oneOf(["nobody", "moderators"])
      .default("nobody")
      .describe("Who may fetch models to a host, in Discord."),
    keep_conversations_for: duration.prefault("30d").describe("What was asked and answered."),
    keep_history_for: duration
      .prefault("90d")
      .describe("When, by whom and with how many tokens something was asked."),
    keep_content: flag.default(false).describe("Questions and answers in that history too."),
  })
    .describe("Who answers questions, and how many at once.")
    .prefault({}),
  web: section({
    host: word.default("127.0.0.1").describe("The address to listen on; 0.0.0.0 for every interface."),
    port: port.default(8080),
    public_url: baseUrl.optional().describe("Empty: http://localhost:<port>."),
    trusted_proxies: list(peer).default([]).describe("The only peers whose X-Forwarded-* counts."),
  })
    .describe("The web interface.")
    .prefault({}),
  files: section({
    max_file_size: size.prefault("250MB"),
    max_files_per_user: count.default(20).describe("Open links count; a bundle of files is one."),
    max_bytes_per_user: size.prefault("2GB").describe("An upload reserves its size as soon as it is known."),
    expire_after: duration.prefault("7d").describe("From the end of the upload."),
    max_expire_after: duration
      .optional()
      .describe("The longest that a sender may choose. Default: 30d, or expire_after where that is longer."),
    quotas: list(quota)
      .default([])
      .describe(
        "Other limits for some: the first entry that is for a member holds, and what it leaves out stays.",
      ),
    link_expires_after: duration.prefault("1h").describe("An unused link."),
    resume_for: duration.prefault("24h").describe("How long a cut upload can be gone on with."),
    remind_before: duration.prefault("1d").describe("Owners are told that a file goes, so long before."),
    tokens_expire_after: duration.prefault("90d").describe("An API token that nobody uses."),
    keep_audit_for: duration.prefault("90d").describe("Who downloaded what, and when."),
    store: oneOf(["disk", "s3"]).default("disk").describe("Where new files go."),
    s3: s3.optional().describe("An S3-compatible store."),
    min_free_disk: size.prefault("1GB").describe("Uploads that would leave less are refused."),
  })
    .refine(({ store, s3 }) => store === "disk" || s3 !== undefined, {
      path: ["store"],
      error: "disk, or files.s3 beside it to say where the S3 store is",
    })
    .superRefine(refuseShortMaximums)
    .transform((files) => ({
      ...files,
      max_expire_after: files.max_expire_after ?? Math.max(files.expire_after, MAX_EXPIRE_AFTER),
    }))
    .describe("What members may keep, and for how long.")
    .prefault({}),
  jobs: section({
    cleanup_every: duration.prefault("1h").describe("How often expired files are removed."),
  })
    .describe("Work on a schedule.")
    .prefault({}),
  telemetry: section({
    otlp_endpoint: baseUrl
      .optional()
      .describe("A base; /v1/traces is appended. OTEL_EXPORTER_OTLP_* is honoured; empty: not exported."),
    metrics: flag.default(true).describe("GET /metrics."),
    metrics_token: secret
      .optional()
      .describe("Bearer token; without it only loopback peers with no forwarding headers."),
  })
    .describe("What wisbot tells about itself.")
    .prefault({}),
  log: section({
    level: oneOf(logLevels).default("info"),
    format: oneOf(logFormats).default("pretty"),
  })
    .describe("What goes to stderr.")
    .prefault({}),
});

/** What config.yaml may say. */
export type ConfigInput = z.input<typeof configSchema>;

/** What it means: every default filled in, sizes in bytes, durations in milliseconds. */
export type Config = z.output<typeof configSchema>;
