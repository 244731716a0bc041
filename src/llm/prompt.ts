import type { ChatMessage } from "./ports.ts";

/** One thing that was said. */
export interface Turn {
  from: "member" | "model";
  text: string;
}

const SYSTEM = [
  "You are WisBot, an assistant in a Discord community.",
  "Answer in the language of the question, plainly and to the point.",
  "Use the Markdown that Discord shows; put code into fenced blocks that name their language.",
  "Say so when you don't know something.",
].join(" ");

/** A conversation, oldest turn first, as a model is asked it. */
export function messagesOf(turns: readonly Turn[]): ChatMessage[] {
  const said = turns.map(({ from, text }) => ({
    role: from === "member" ? ("user" as const) : ("assistant" as const),
    content: text,
  }));
  return [{ role: "system", content: SYSTEM }, ...said];
}
