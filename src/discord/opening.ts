import { stopRows } from "./answer-controls.ts";
import { note, plain } from "./render.ts";
import type { Body } from "./respond.ts";

/** What stands in the channel from the first moment. Without `answerId` there is nothing to stop yet. */
export function openingBody(question: string, status: string, answerId?: string): Body {
  return { content: `${head(question)}${note(plain(status))}`, components: stopRows(answerId) };
}

/** The question, which leaves most of a message to the answer; nothing where there is none to quote. */
export function head(question: string): string {
  return question === "" ? "" : `> ${plain(question, 300)}\n`;
}
