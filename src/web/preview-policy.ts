/**
 * What a page with a preview needs beyond the content security policy of every page. Scripts stay `'self'` without
 * eval or WebAssembly, and trusted types hold: the one policy lets through addresses of our workers.
 */
export const previewPolicy = {
  "media-src": "'self'",
  "worker-src": "'self'",
  "trusted-types": "wisbot-worker",
};
