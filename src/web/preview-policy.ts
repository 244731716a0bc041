/**
 * What a page with a preview needs beyond the content security policy of every page, in hono's names. Scripts stay
 * `'self'` without eval or WebAssembly, and trusted types hold: the one policy lets through addresses of our workers.
 */
export const previewPolicy = {
  mediaSrc: ["'self'"],
  workerSrc: ["'self'"],
  trustedTypes: ["wisbot-worker"],
};
