import type { Middleware } from "./env.ts";

const POLICY: Record<string, string> = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self'",
  "connect-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
  "require-trusted-types-for": "'script'",
};

/** The content security policy of a page that needs something beyond that of every page. */
export function pagePolicy(more: Record<string, string>): string {
  return Object.entries({ ...POLICY, ...more })
    .map(([directive, value]) => `${directive} ${value}`)
    .join("; ");
}

const CONTENT_SECURITY_POLICY = pagePolicy({});

/**
 * Of a page with a form. Under `no-referrer` browsers say `Origin: null` with a form, and over plain http nothing else
 * tells where it comes from (https://fetch.spec.whatwg.org/#append-a-request-origin-header): it would be refused as
 * another site's. This tells the site's own name, and never the path.
 */
export const FORM_REFERRER = "strict-origin";

/** In every answer that has all of the others too, and nowhere else. */
const MARK = "origin-agent-cluster";

/** Headers of every answer, by their names in lower case. A route may say stricter things itself (downloads). */
export function safeFields({ publicUrl }: { publicUrl: string }): Record<string, string> {
  return {
    [MARK]: "?1",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    // The address of a page is a capability: no other site may learn it.
    "referrer-policy": "no-referrer",
    // Only an https address may promise https, and only for its own name: other names are not ours.
    ...(publicUrl.startsWith("https:") && { "strict-transport-security": "max-age=15552000" }),
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
    "x-download-options": "noopen",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
    "x-xss-protection": "0",
  };
}

/**
 * Adds `safeFields` to what a route has said. Not hono's secureHeaders: header by header it took a tenth of a small
 * download, so an answer that is made with all of them is left alone here.
 */
export function safeHeaders(deps: { publicUrl: string }): Middleware {
  const fields = Object.entries(safeFields(deps));
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    if (headers.has(MARK)) return;
    for (const [name, value] of fields) {
      if (!headers.has(name)) headers.set(name, value);
    }
  };
}
