import hljs from "highlight.js/lib/core";
import { languages } from "./languages.ts";
import type { Token } from "./tokens.ts";

for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
hljs.configure({ classPrefix: "" });

/** What the text consists of, in order. Lengths are in UTF-16 units and add up to the text's. */
export function highlight(text: string, language: string): Token[] {
  return tokensOf(hljs.highlight(text, { language, ignoreIllegals: true }).value);
}

/** highlight.js gives HTML. It is read, never rendered: what counts is where its spans begin and end. */
function tokensOf(html: string): Token[] {
  const tokens: Token[] = [];
  const scopes: string[] = [];
  for (const [piece, classes] of html.matchAll(/<span class="([^"]*)">|<\/span>|[^<]+/g)) {
    if (classes !== undefined) scopes.push(scopeOf(classes));
    else if (piece === "</span>") scopes.pop();
    else add(tokens, unescapedLength(piece), scopes.at(-1) ?? "");
  }
  return tokens;
}

/** `title function_` is coloured as `title`; `language-css` only says where another language begins. */
function scopeOf(classes: string): string {
  const [scope = ""] = classes.split(" ");
  return scope.startsWith("language-") ? "" : scope;
}

function add(tokens: Token[], length: number, scope: string): void {
  const last = tokens.at(-1);
  if (last?.[1] === scope) last[0] += length;
  else tokens.push([length, scope]);
}

/** highlight.js escapes these five. */
function unescapedLength(html: string): number {
  return html.replace(/&(?:amp|lt|gt|quot|#x27);/g, "x").length;
}
