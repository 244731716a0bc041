import { abbreviate } from "../lib/capability.ts";
import { errorText } from "./error-text.ts";

/** Takes secrets out of text and of values on their way to the log or to a collector. */
export interface Redactor {
  /** The text without anything that looks like a secret, and without the registered ones. */
  text(text: string): string;
  /** A copy for the log: errors become their message and full stack, fields with a secret's name are blanked. */
  fields(fields: object): Record<string, unknown>;
}

const BLANK = "[redacted]";

/** A field of this name holds a secret, whatever its value. `inputTokens` and the like count and are kept. */
const SECRET_NAME =
  /(?:token|tickets?|secret|password|passphrase|authorization|cookie|credentials?|api[-_]?key)$/i;

/** Environment variables that hold secrets: a config may have pulled any of them in with `${NAME}`. */
const SECRET_VARIABLE = /(?:TOKEN|SECRET|PASSWORD|API_?KEY|_HEADERS)$/i;

/** Deeper structures than this are a mistake in a log line. */
const MAX_DEPTH = 6;

/** Shorter ones can't be searched for: they would blank ordinary words. */
const SHORTEST_SECRET = 6;

/** What newCapability() makes. Random ids have a capital, a digit or an underscore; folder names rarely have. */
const CAPABILITY = /^(?=[\w-]*[A-Z\d_])[\w-]{22}$/;

const PATTERNS: [RegExp, string | ((match: string, ...groups: string[]) => string)][] = [
  // A Discord bot token: base64 of the bot's id, a timestamp, an HMAC.
  [/[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,}/g, BLANK],
  // An API token of a member: src/files/tokens.ts.
  [/\bwis_[\w-]{20,}/g, BLANK],
  [/\b(Bearer)\s+[\w.~+/=-]{6,}/gi, `$1 ${BLANK}`],
  [/\b(Bot|Basic)\s+[\w.~+/=-]{20,}/gi, `$1 ${BLANK}`],
  // Whoever has an interaction's or a webhook's token may write in its place; discord.js puts both into errors.
  [/\/(webhooks|interactions)\/(\d{15,20})\/[\w-]{20,}/g, `/$1/$2/${BLANK}`],
  // Upload and share links: whoever has one may use it.
  [
    /(\/|%(?:25)*2f)([uf])(\/|%(?:25)*2f)([\w-]{22,})/gi,
    (_, a = "", kind = "", b = "", id = "") => a + kind + b + abbreviate(id),
  ],
  // A blob's file is named by its share capability: `/data/blobs/ab/<id>.part`. Not a source file of that length.
  [/(?<=\/|%(?:25)*2[Ff])(?=[\w-]*[A-Z\d_])[\w-]{22}(?![\w-]|\.(?:[cm]?[jt]sx?)\b)/g, (id) => abbreviate(id)],
  [/(:\/\/)[^\s/:@"]+:[^\s/@"]+@/g, `$1${BLANK}@`],
  [/([?&](?:token|secret|key|sig|signature|hm|password)=)[^\s&"'#\\]+/gi, `$1${BLANK}`],
  // Whoever has a presigned URL of S3 may read its object; in a header these sign one request. Escaped in an address
  // that is part of another, and in XML.
  [
    /\b((?:X-Amz-)?(?:Signature|Credential|Security-Token)(?:=|%(?:25)*3D))(?:(?!%(?:25)*26)[^\s&"'#\\<>,])+/gi,
    `$1${BLANK}`,
  ],
];

/** The secret as it stands in text, in a JSON string, and in a JSON string inside another. */
function spellings(secret: string): string[] {
  const once = JSON.stringify(secret).slice(1, -1);
  const twice = JSON.stringify(once).slice(1, -1);
  return [...new Set([secret, once, twice, encodeURIComponent(secret.toWellFormed())])];
}

/** The values of environment variables whose name says that they are secret. */
export function secretsIn(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value && SECRET_VARIABLE.test(name) ? [value] : []));
}

/** `secrets` are values that this configuration holds; those shorter than six characters are left alone. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const known = [...new Set(secrets.filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(spellings))]
    // Longest first, so that a secret within a secret leaves no rest.
    .sort((a, b) => b.length - a.length);

  function text(input: string): string {
    let out = input;
    for (const secret of known) if (out.includes(secret)) out = out.replaceAll(secret, BLANK);
    for (const [pattern, replacement] of PATTERNS) {
      out =
        typeof replacement === "string"
          ? out.replace(pattern, replacement)
          : out.replace(pattern, replacement);
    }
    return out;
  }

  function value(input: unknown, name: string, above: readonly object[]): unknown {
    if (typeof input === "string") {
      if (SECRET_NAME.test(name)) return BLANK;
      return CAPABILITY.test(input) ? abbreviate(input) : text(input);
    }
    if (typeof input === "bigint") return String(input);
    if (typeof input !== "object" || input === null) return input;
    if (SECRET_NAME.test(name)) return BLANK;
    if (above.includes(input)) return "[circular]";
    if (above.length >= MAX_DEPTH) return "[too deep]";
    const inside = [...above, input];
    if (input instanceof Error) return entries(errorText(input), inside);
    if (ArrayBuffer.isView(input)) return `[${input.byteLength} bytes]`;
    if (Array.isArray(input)) return input.map((item) => value(item, "", inside));
    if ("toJSON" in input && typeof input.toJSON === "function") return value(input.toJSON(), name, inside);
    return entries(input, inside);
  }

  function entries(input: object, above: readonly object[]): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(input).map(([key, item]) => [text(key), value(item, key, above)]),
    );
  }

  return {
    text,
    fields(fields) {
      const all = fields instanceof Error ? { err: fields } : fields;
      return entries(all, [all]);
    },
  };
}
