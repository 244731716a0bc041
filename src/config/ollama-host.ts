import { isIPv6 } from "node:net";

const OLLAMA_PORT = "11434";
const defaultPort: Record<string, string> = { "http:": "80", "https:": "443" };

/** 0.0.0.0 and :: are addresses to listen on; whoever asks from this machine asks its loopback. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "[::]" ? "[::1]" : hostname;
}

/**
 * Reads $OLLAMA_HOST in the forms that Ollama itself takes (`host`, `host:port`, `:port`, `0.0.0.0`,
 * `https://host/path`) into the URL to ask. Gives undefined for anything else.
 */
export function ollamaUrl(text: string): string | undefined {
  const plain = text
    .trim()
    .replace(/^(["'])(.*)\1$/, "$2")
    .trim();
  const scheme = /^(https?):\/\//i.exec(plain);
  const rest = scheme ? plain.slice(scheme[0].length) : plain;
  const authority = isIPv6(rest) ? `[${rest}]` : rest.startsWith(":") ? `127.0.0.1${rest}` : rest;
  const address = `${scheme?.[1] ?? "http"}://${authority}`;
  if (authority === "" || /\s|:\/\//.test(authority) || !URL.canParse(address)) return undefined;

  const url = new URL(address);
  // Ollama's rule: a scheme brings its own port, a bare host Ollama's.
  const explicit = /:\d+(?:\/|$)/.test(authority.replace(/^\[[^\]]*\]/, ""));
  const written = url.port || (explicit || scheme ? defaultPort[url.protocol] : OLLAMA_PORT);
  const port = written === defaultPort[url.protocol] ? "" : `:${written}`;
  return `${url.protocol}//${reachable(url.hostname)}${port}${url.pathname.replace(/\/+$/, "")}`;
}
