/** A request that the bot made and what it was answered. */
export interface RequestRecord {
  /** `METHOD /path/{template}`; the bare path where no route fits. */
  route: string;
  method: string;
  /** With the ids in it, without the base. */
  path: string;
  query: Record<string, string>;
  body: unknown;
  /** Names of the files that came along. */
  files: string[];
  /** Milliseconds since the epoch. */
  at: number;
  ms: number;
  status: number;
  answer: unknown;
}
