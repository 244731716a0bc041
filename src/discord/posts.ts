import { WisError } from "../errors.ts";

/** Which files are being posted, and whose turn it is to change a file's card, which several people press at once. */
export interface Posts {
  /** Changes a card when no other change of it is under way: what it shows was then looked up last. */
  inTurn<T>(fileId: string, change: () => Promise<T>): Promise<T>;
  /** From now on until `end` this file is being posted. Throws WisError rate_limited. */
  begin(fileId: string): void;
  end(fileId: string): void;
  has(fileId: string): boolean;
}

/** Files at once: each is in memory as a whole while it is sent, up to 25 MiB. */
const AT_ONCE = 2;

export function createPosts(): Posts {
  const posting = new Set<string>();
  const turns = new Map<string, Promise<void>>();

  return {
    async inTurn(fileId, change) {
      const before = turns.get(fileId);
      const { promise: mine, resolve: done } = Promise.withResolvers<void>();
      turns.set(fileId, mine);
      await before;
      try {
        return await change();
      } finally {
        if (turns.get(fileId) === mine) turns.delete(fileId);
        done();
      }
    },
    begin(fileId) {
      if (posting.size >= AT_ONCE) {
        throw new WisError("rate_limited", {
          say: "WisBot is posting other files at this moment.",
          hint: "Press the button again in a few seconds.",
        });
      }
      posting.add(fileId);
    },
    end: (fileId) => void posting.delete(fileId),
    has: (fileId) => posting.has(fileId),
  };
}
