import { raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import MarkdownIt, { type Token } from "markdown-it";
import { findFormulas, layOutFormulas } from "./preview-formulas.ts";

/** What all addresses of one document may take together: one that is defined once can be used ten thousand times. */
const MAX_ADDRESSES = 1_000_000;
/** No address that anybody follows is longer. */
const MAX_ADDRESS = 2_048;

/** How long one document may keep the server from its other work, milliseconds. */
const PATIENCE_MS = 100;

class TooLong extends Error {}

const md = new MarkdownIt({ html: false, linkify: false, typographer: false });
const { escapeHtml } = md.utils;
md.use(findFormulas);

// Some texts take quadratic time. Both rules are asked at every step of the parser, so it ends soon after its time.
md.block.ruler.before("table", "patience", checkPatience, {
  alt: ["paragraph", "reference", "blockquote", "list"],
});
md.inline.ruler.before("text", "patience", checkPatience);

md.renderer.rules.link_open = (tokens, index, _options, env = {}) => {
  const href = String(tokens[index]?.attrGet("href") ?? "");
  // Relative ones would lead to our own pages, which their writer knows nothing of: an anchor without address is text.
  if (!isOutside(href) || href.length > MAX_ADDRESS) return "<a>";
  const addresses = Number(env.addresses ?? 0) + href.length;
  if (addresses > MAX_ADDRESSES) throw new TooLong();
  env.addresses = addresses;
  return `<a href="${escapeHtml(href)}" rel="noopener noreferrer nofollow ugc">`;
};
// A picture from elsewhere would tell its server who reads this page.
md.renderer.rules.image = (tokens, index, options, env) => {
  const { children } = tokens[index] ?? {};
  const alt = md.renderer.renderInlineAsText(children ?? [], options, env).trim();
  return `<span class="picture">[Picture${alt ? `: ${escapeHtml(alt)}` : ""}]</span>`;
};
md.core.ruler.push("outline", ({ tokens }) => {
  for (const token of tokens) fitIn(token);
});

/**
 * Markdown as HTML that holds text, its marks and formulas alone: no scripts, pictures, styles, or links to anything but
 * web and mail addresses. Headings begin at the second level. Undefined when it takes longer than `patience`
 * milliseconds, formulas aside, or would come out far larger than it is.
 */
export async function renderMarkdown(
  text: string,
  patience = PATIENCE_MS,
): Promise<HtmlEscapedString | undefined> {
  try {
    const env = { until: performance.now() + patience };
    const tokens = md.parse(text, env);
    await layOutFormulas(tokens);
    return raw(md.renderer.render(tokens, md.options, env));
  } catch (error) {
    if (error instanceof TooLong) return undefined;
    throw error;
  }
}

function checkPatience({ env }: { env: unknown }): boolean {
  if (performance.now() > until(env)) throw new TooLong();
  return false;
}

function until(env: unknown): number {
  const given = typeof env === "object" && env !== null && "until" in env ? env.until : undefined;
  return typeof given === "number" ? given : Number.POSITIVE_INFINITY;
}

/** The page has its one main heading already, and its content security policy refuses styles in attributes. */
function fitIn(token: Token): void {
  if (token.type === "heading_open" || token.type === "heading_close") {
    token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + 1)}`;
  }
  const align = /^text-align:(left|center|right)$/.exec(String(token.attrGet("style") ?? ""))?.[1];
  token.attrs = token.attrs?.filter(([name]) => name === "start") ?? null;
  if (align) token.attrSet("class", `align-${align}`);
}

function isOutside(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(href);
}
