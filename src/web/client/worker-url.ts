// What TypeScript's DOM types leave out: https://www.w3.org/TR/trusted-types/
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}
declare global {
  interface Window {
    /** Missing in browsers that enforce no trusted types. */
    trustedTypes?: TrustedTypes;
  }
}

const rules = { createScriptURL: ownAsset };
const policy = window.trustedTypes?.createPolicy("wisbot-worker", rules) ?? rules;

/**
 * A worker of one of our own assets. The content security policy takes no plain text for a script's address: only
 * what this policy has let through.
 */
export function startWorker(asset: string, options: WorkerOptions = {}): Worker {
  return new Worker(policy.createScriptURL(asset), options);
}

function ownAsset(url: string): string {
  const { origin, pathname } = new URL(url, location.href);
  if (origin !== location.origin || !pathname.startsWith("/assets/")) throw new TypeError(`no asset: ${url}`);
  return url;
}
