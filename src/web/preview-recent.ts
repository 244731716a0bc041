import type { HtmlEscapedString } from "hono/utils/html";

/** What was laid out lately, undefined for what took too long: a page that is asked for again costs nothing again. */
export interface Recent {
  /** What is kept under this key, or what `make` gives, which is kept from then on. */
  of(key: string, make: () => Promise<HtmlEscapedString | undefined>): Promise<HtmlEscapedString | undefined>;
}

/** Of an entry besides its HTML, roughly. */
const ENTRY_CHARACTERS = 200;

/** Keeps at most `limit` characters; what was asked for the longest ago goes first. */
export function createRecent(limit: number): Recent {
  // A map tells its keys in the order in which they were set.
  const kept = new Map<string, HtmlEscapedString | undefined>();
  /** Others have their turn while it is made: whoever asks meanwhile waits for the same. */
  const making = new Map<string, Promise<HtmlEscapedString | undefined>>();
  let characters = 0;

  function forget(key: string) {
    if (!kept.has(key)) return;
    characters -= sizeOf(kept.get(key));
    kept.delete(key);
  }

  function keep(key: string, html: HtmlEscapedString | undefined) {
    kept.set(key, html);
    characters += sizeOf(html);
    for (const oldest of kept.keys()) {
      if (characters <= limit) break;
      forget(oldest);
    }
  }

  function made(key: string, make: Parameters<Recent["of"]>[1]): Promise<HtmlEscapedString | undefined> {
    const underWay = making.get(key) ?? make().finally(() => making.delete(key));
    making.set(key, underWay);
    return underWay;
  }

  return {
    async of(key, make) {
      const html = kept.has(key) ? kept.get(key) : await made(key, make);
      forget(key);
      keep(key, html);
      return html;
    },
  };
}

function sizeOf(html: HtmlEscapedString | undefined): number {
  return ENTRY_CHARACTERS + (html?.length ?? 0);
}
