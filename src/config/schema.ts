import { z } from "zod";
import { parseBytes } from "../lib/bytes.ts";
import { parseDuration } from "../lib/duration.ts";

// Every key stands here once, with its default, its bounds and the words that the JSON schema shows.
// The parsed values are what the rest of wisbot sees: sizes in bytes, durations in milliseconds.

const size = (fallback: string) =>
  z
    .union([z.string(), z.number()])
    .default(fallback)
    .transform((value, context) => {
      const bytes = parseBytes(String(value));
      if (bytes !== undefined && bytes > 0) return bytes;
      context.issues.push({
        code: "custom",
        message: "a size above zero such as 250MB or 2GiB",
        input: value,
      });
      return z.NEVER;
    });

const duration = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((value, context) => {
      const milliseconds = parseDuration(value);
      if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
      context.issues.push({
        code: "custom",
        message: "a duration above zero such as 30s, 24h or 7d",
        input: value,
      });
      return z.NEVER;
    });

const text = z.string().min(1);
const url = z.url({ protocol: /^https?$/ });
const count = z.int().positive();
const snowflake = z.string().regex(/^\d{17,20}$/, "a Discord id of 17 to 20 digits, in quotes");

const host = z.strictObject({
  name: text.default("local").describe("How messages and logs call it."),
  kind: z.enum(["ollama"]).default("ollama"),
  url: url.default("http://127.0.0.1:11434"),
  slots: count.default(1).describe("Answers at once."),
});

// `prefault` parses the default, so that a missing section is filled in by its own keys' defaults.
export const configSchema = z.strictObject({
  data_dir: text.optional().describe("Database and files. Relative to this file."),
  discord: z
    .strictObject({
      token: text.optional().describe("Bot token; or token_file, or $DISCORD_TOKEN. Unset: Discord is off."),
      token_file: text.optional(),
      guild_ids: z.array(snowflake).default([]).describe("Register commands there at once; empty: globally."),
      api: url.default("https://discord.com/api"),
      cdn: z.array(text).default(["cdn.discordapp.com", "media.discordapp.net"]),
    })
    .prefault({}),
  llm: z
    .strictObject({
      hosts: z
        .array(host)
        .min(1)
        .default([{ name: "local", kind: "ollama", url: "http://127.0.0.1:11434", slots: 1 }]),
      model: text.default("llama3.2"),
      keep_alive: duration("24h"),
      timeout: duration("5m").describe("From the moment it has a slot."),
      max_requests_per_minute: count.default(10).describe("A user."),
      max_queue: count.default(100),
    })
    .prefault({}),
  web: z
    .strictObject({
      host: text.default("127.0.0.1"),
      port: z.int().min(1).max(65535).default(8080),
      public_url: url.optional().describe("Empty: http://localhost:<port>."),
      trusted_proxies: z.array(text).default([]).describe("The only peers whose X-Forwarded-* counts."),
    })
    .prefault({}),
  files: z
    .strictObject({
      max_file_size: size("250MB"),
      max_files_per_user: count.default(20).describe("Open links count."),
      max_bytes_per_user: size("2GB"),
      expire_after: duration("7d").describe("From the end of the upload."),
      link_expires_after: duration("1h").describe("An unused link."),
      min_free_disk: size("1GB"),
    })
    .prefault({}),
  jobs: z.strictObject({ cleanup_every: duration("1h") }).prefault({}),
  telemetry: z
    .strictObject({
      otlp_endpoint: url.optional().describe("A base; /v1/traces is appended. Empty: not exported."),
      metrics: z.boolean().default(true).describe("GET /metrics."),
      metrics_token: text.optional(),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error"]).default("info"),
      format: z.enum(["pretty", "json"]).default("pretty"),
    })
    .prefault({}),
});

/** What config.yaml may say. */
export type ConfigInput = z.input<typeof configSchema>;

/** What it means: every default filled in, sizes in bytes, durations in milliseconds. */
export type Config = z.output<typeof configSchema>;
