/** Guesses how many tokens a text takes, and learns from what hosts count. */
export interface TokenCounter {
  /** Tokens that a text takes in a prompt of this model, about; rather too many than too few. */
  estimate(model: string, text: string): number;
  /** Tokens that a text takes at the very least. */
  fewest(model: string, text: string): number;
  /** A host counted `tokens` for a prompt whose texts are these many bytes of UTF-8 in all. */
  learn(model: string, bytes: number, tokens: number): void;
}

/**
 * Bytes of UTF-8 that a token stands for while nothing was counted: English has about 4, German 3.5, code 3, Chinese
 * 3 to 4, each a letter or two.
 */
const BYTES_A_TOKEN = 3;
/** Beyond these a count is not one of the whole prompt: a host may leave out what it has in its cache. */
const FEWEST = 1.2;
const MOST = 6;
/** A short prompt is mostly what the host puts around it. */
const TELLING_BYTES = 400;
/** How much of what was known a count leaves. */
const KEPT = 0.7;
const MAX_MODELS = 100;
/** Two prompts of a size differ so much. */
const MARGIN = 1.1;

export function createTokenCounter(): TokenCounter {
  const known = new Map<string, number>();

  return {
    estimate(model, text) {
      const bytes = Buffer.byteLength(text);
      return Math.ceil((bytes / (known.get(model) ?? BYTES_A_TOKEN)) * MARGIN);
    },
    fewest: (model, text) => Math.floor(Buffer.byteLength(text) / (known.get(model) ?? MOST) / MARGIN),
    learn(model, bytes, tokens) {
      const ratio = bytes / tokens;
      if (bytes < TELLING_BYTES || !(ratio >= FEWEST && ratio <= MOST)) return;
      const before = known.get(model);
      known.delete(model);
      known.set(model, before === undefined ? ratio : before * KEPT + ratio * (1 - KEPT));
      const [oldest] = known.keys();
      if (known.size > MAX_MODELS && oldest !== undefined) known.delete(oldest);
    },
  };
}
