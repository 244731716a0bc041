/** What a prompt has room for, in tokens. */
export interface Budget {
  /** Of question, documents and everything before them. */
  prompt: number;
  /** Kept free for the answer. */
  answer: number;
}

/** Tokens, where nobody says: what Ollama gives a model on a small GPU. */
export const USUAL_CONTEXT = 4_096;

/** Of a small context a quarter is the answer's, of a large one no more than this. */
const LONGEST_ANSWER = 4_096;

export function budgetOf(context: number): Budget {
  const answer = Math.min(Math.floor(context / 4), LONGEST_ANSWER);
  return { prompt: context - answer, answer };
}

/** Around each message a host writes who speaks: a handful of tokens. */
export const MESSAGE_TOKENS = 8;

/** What models that see read of one, about: they take from 250 to 1,600. */
export const IMAGE_TOKENS = 800;

/**
 * How many of these turns fit, newest first: the oldest go, and no turn is left out of the middle.
 * `sizes` in tokens, newest first; `room` is what is left beside instruction and question.
 */
export function turnsThatFit(sizes: readonly number[], room: number): number {
  let left = room;
  for (const [index, size] of sizes.entries()) {
    left -= size + 2 * MESSAGE_TOKENS;
    if (left < 0) return index;
  }
  return sizes.length;
}
