/** How many bytes of a text are shown. */
export const TEXT_HEAD = 256 * 1024;
/** The largest image that a page shows by itself, bytes. */
export const LARGEST_IMAGE = 25_000_000;
/** The largest PDF that a page shows, bytes. */
export const LARGEST_PDF = 50_000_000;

/** What the browser shows from the file's bytes, sent as `type`. */
export interface MediaPreview {
  kind: "image" | "audio" | "video" | "pdf";
  type: string;
}

/** What the page holds itself. `language` is one of highlight.js. */
export type TextPreview = { kind: "code"; language: string } | { kind: "text" | "markdown" };

/** How the share page shows a file. */
export type Preview = MediaPreview | TextPreview | { kind: "none" };

export interface Previewable {
  name: string;
  /** As its sender says it: it may lie. */
  contentType: string;
  /** Bytes. */
  size: number;
}

// What browsers show or play, and what no script can hide in: SVG is missing on purpose.
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"]);
const VIDEOS = new Set([
  "video/mp4",
  "video/webm",
  "video/ogg",
  "video/quicktime",
  "video/x-m4v",
  "video/x-matroska",
]);
const AUDIOS = new Set([
  "audio/mpeg",
  "audio/mp3",
  "audio/mp4",
  "audio/x-m4a",
  "audio/aac",
  "audio/ogg",
  "audio/opus",
  "audio/webm",
  "audio/wav",
  "audio/x-wav",
  "audio/wave",
  "audio/vnd.wave",
  "audio/flac",
  "audio/x-flac",
]);

const MARKDOWN = words("md markdown mdown mkd");
// Extensions, and whole names of files that have none.
const TEXT = words(
  "txt text log csv tsv srt vtt nfo asc readme license licence copying authors changelog notice",
);
const LANGUAGES = {
  arduino: "ino",
  bash: "sh bash zsh ksh",
  c: "c h",
  clojure: "clj cljs edn",
  cmake: "cmake",
  cpp: "cpp cc cxx hpp hh hxx",
  csharp: "cs csx",
  css: "css",
  dart: "dart",
  diff: "diff patch",
  dockerfile: "dockerfile containerfile",
  dos: "bat cmd",
  elixir: "ex exs",
  erlang: "erl hrl",
  fsharp: "fs fsx fsi",
  glsl: "glsl vert frag",
  go: "go",
  graphql: "graphql gql",
  groovy: "groovy gradle jenkinsfile",
  haskell: "hs",
  ini: "ini toml cfg conf env properties editorconfig gitconfig service",
  java: "java",
  javascript: "js mjs cjs jsx ecmascript",
  json: "json jsonl ndjson json5 jsonc geojson webmanifest map ipynb",
  julia: "jl",
  kotlin: "kt kts",
  latex: "tex sty bib",
  less: "less",
  lua: "lua luau",
  makefile: "makefile mk",
  nginx: "nginx nginxconf",
  nix: "nix",
  objectivec: "m mm",
  ocaml: "ml mli",
  perl: "pl pm",
  php: "php phtml",
  powershell: "ps1 psm1 psd1",
  protobuf: "proto",
  python: "py pyi pyw",
  r: "r",
  ruby: "rb gemspec rakefile gemfile",
  rust: "rs",
  scala: "scala sc",
  scss: "scss",
  sql: "sql",
  swift: "swift",
  typescript: "ts mts cts tsx",
  vbnet: "vb",
  wasm: "wat",
  xml: "xml html htm xhtml svg rss atom xsd xsl xslt plist wsdl vue svelte",
  yaml: "yaml yml",
} as const;

/** Every language that `previewOf` may name. */
export const previewLanguages = Object.keys(LANGUAGES);

const languageOf = new Map(
  Object.entries(LANGUAGES).flatMap(([language, endings]) =>
    [language, ...words(endings)].map((ending) => [ending, language] as const),
  ),
);

/**
 * How a file is shown, told by its type and its name alone. What might run (HTML, SVG, XML, scripts) is shown as
 * source text. Texts of any size are shown, cut to `TEXT_HEAD`; images and PDFs only up to their bounds.
 */
export function previewOf({ name, contentType, size }: Previewable): Preview {
  if (size === 0) return { kind: "none" };
  const type = essence(contentType);
  const media = mediaOf(
    type === "application/octet-stream" || type === "" ? essence(Bun.file(name).type) : type,
  );
  if (media) return withinBounds(media, size) ? media : { kind: "none" };
  return byEnding(endingOf(name)) ?? byType(type) ?? { kind: "none" };
}

function mediaOf(type: string): MediaPreview | undefined {
  if (IMAGES.has(type)) return { kind: "image", type };
  if (AUDIOS.has(type)) return { kind: "audio", type };
  if (VIDEOS.has(type)) return { kind: "video", type };
  return type === "application/pdf" ? { kind: "pdf", type } : undefined;
}

function withinBounds({ kind }: MediaPreview, size: number): boolean {
  if (kind === "image") return size <= LARGEST_IMAGE;
  return kind !== "pdf" || size <= LARGEST_PDF;
}

function byEnding(ending: string): TextPreview | undefined {
  if (MARKDOWN.has(ending)) return { kind: "markdown" };
  if (TEXT.has(ending)) return { kind: "text" };
  const language = languageOf.get(ending);
  return language ? { kind: "code", language } : undefined;
}

function byType(type: string): TextPreview | undefined {
  const [top, subtype = ""] = type.split("/");
  // RFC 6839: a suffix names the format beneath.
  if (subtype.endsWith("+xml")) return { kind: "code", language: "xml" };
  if (subtype.endsWith("+json")) return { kind: "code", language: "json" };
  if (top !== "text" && top !== "application") return undefined;
  const named = subtype === "plain" ? undefined : byEnding(subtype.replace(/^x-/, ""));
  return named ?? (top === "text" ? { kind: "text" } : undefined);
}

function essence(contentType: string): string {
  return contentType.split(";")[0]?.trim().toLowerCase() ?? "";
}

/** `photo.PNG` → `png`, `.env` → `env`, `Dockerfile` → `dockerfile`. */
function endingOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}

function words(text: string): Set<string> {
  return new Set(text.split(" "));
}
