import { type APIActionRowComponent, type APIComponentInMessageActionRow, ButtonStyle } from "discord.js";
import { button, row } from "./buttons.ts";

// What one can do with an answer. A button's custom_id says all that it needs: it works for as long as its answer is
// known, whichever process made it.

export type Rows = APIActionRowComponent<APIComponentInMessageActionRow>[];

export interface Offered {
  /** The answer was cut off, and can go on. */
  more: boolean;
  thinking: boolean;
  /** How else all of it can be had: `web` where it came as a file. */
  whole: "file" | "web" | undefined;
}

/** Under an answer that is being written. Without an id there is nothing to stop yet. */
export function stopRows(turnId: string | undefined): Rows {
  return turnId ? [row([button({ label: "Stop", id: `llm:stop:${turnId}` })])] : [];
}

/** Under an answer that came to nothing, or not to its end. */
export function againRows(turnId: string): Rows {
  return [row([again(turnId)])];
}

/** Under an answer that is done. */
export function answerRows(turnId: string, { more, thinking, whole }: Offered): Rows {
  const buttons = [
    button({ label: "👍", id: `llm:up:${turnId}` }),
    button({ label: "👎", id: `llm:down:${turnId}` }),
    again(turnId),
    ...(more ? [button({ label: "Continue", id: `llm:more:${turnId}` })] : []),
    ...(thinking ? [button({ label: "Show thinking", id: `llm:think:${turnId}` })] : []),
    ...(whole ? [handOut[whole](turnId)] : []),
  ];
  // A row takes five.
  return [buttons.slice(0, 5), buttons.slice(5)].filter((some) => some.length > 0).map(row);
}

/** Under the file that somebody asked for. */
export function fileRows(turnId: string): Rows {
  return [row([handOut.web(turnId)])];
}

const handOut = {
  file: (turnId: string) => button({ label: "As a file", id: `llm:file:${turnId}` }),
  web: (turnId: string) => button({ label: "As a web link", id: `llm:web:${turnId}` }),
};

/** The same buttons, with the one for `vote` (1 or -1; 0: neither) shown as pressed. */
export function withVote(rows: Rows, vote: number): Rows {
  return rows.map((one) => ({ ...one, components: one.components.map((each) => pressedFor(each, vote)) }));
}

function pressedFor(one: APIComponentInMessageActionRow, vote: number): APIComponentInMessageActionRow {
  if (!("custom_id" in one) || !("style" in one)) return one;
  const stands = one.custom_id.startsWith("llm:up:") ? 1 : one.custom_id.startsWith("llm:down:") ? -1 : 0;
  if (stands === 0) return one;
  return { ...one, style: stands === vote ? ButtonStyle.Primary : ButtonStyle.Secondary };
}

function again(turnId: string) {
  return button({ label: "Regenerate", id: `llm:again:${turnId}` });
}
