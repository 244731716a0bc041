import type { Contents } from "../contents.ts";
import type { Refusal } from "../refusal.ts";

/** What the thread is asked. */
export interface Work {
  kind: "pdf" | "zip";
  bytes: Uint8Array;
  /** Reading ends beyond so many. */
  maxCharacters: number;
  /** Where pdf.js lies: its two modules. */
  pdfjs: { library: string; worker: string };
}

/** What it answers. */
export type Outcome =
  | { contents: Contents }
  /** `cause`: the stack, as text. */
  | { refusal: Refusal; cause: string };
