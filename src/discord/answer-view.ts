import { ButtonStyle, ComponentType, RESTJSONErrorCodes } from "discord.js";
import type { Now } from "../lib/clock.ts";
import type { EditBudget } from "./edit-budget.ts";
import { isDiscordCode } from "./errors.ts";
import { CONTENT_LIMIT, modelText, note, plain } from "./render.ts";
import type { Body, Messages, Shown } from "./respond.ts";
import { asPreview } from "./rest.ts";
import { partText, split } from "./split.ts";
import { createStreamWriter } from "./stream-writer.ts";
import type { Timers } from "./timers.ts";

/** A model's answer in Discord, growing. */
export interface AnswerView {
  /** What goes on until the first words come. */
  status(text: string): void;
  append(text: string): void;
  /** The last state: Stop is gone, and `mark`, if any, stands below. Nothing where the message was deleted. */
  finish(mark?: string): Promise<void>;
}

export interface AnswerViewDeps {
  messages: Pick<Messages, "edit" | "remove">;
  /** Sends one more message below. */
  more: (body: Body) => Promise<Shown>;
  /** Another message shows the end of the answer now. */
  onMoved: (shown: Shown) => Promise<void>;
  /** Discord takes no more previews: the message is gone, or out of the bot's reach. */
  onRefused: (error: unknown) => void;
  budget: EditBudget;
  timers: Timers;
  now: Now;
}

export interface AnswerViewInput {
  question: string;
  answerId: string;
  /** Shows `openingBody` by now. */
  first: { shown: Shown; body: Body };
}

const MOST_MESSAGES = 5;
/** Fewer characters than these are not worth an edit. */
const FIRST_TEXT = 30;
const EXCERPT = 600;

/** What stands in the channel from the first moment. Without `answerId` there is nothing to stop yet. */
export function openingBody(question: string, status: string, answerId?: string): Body {
  return withStop(`${head(question)}${note(status)}`, answerId);
}

/** The longest head leaves most of a message to the answer. */
function head(question: string): string {
  return `> ${plain(question, 300)}\n`;
}

export function createAnswerView(
  deps: AnswerViewDeps,
  { question, answerId, first }: AnswerViewInput,
): AnswerView {
  const { messages, more, onMoved, onRefused, budget, timers, now } = deps;
  const { channelId } = first.shown;
  const pages = [first];
  let text = "";
  let worthAnEdit = false;
  let gone = false;

  // Messages are made when they are written: tokens come far more often than that.
  const writer = createStreamWriter<() => Body[]>({
    write: (bodies, kind) => (kind === "preview" ? asPreview(() => bring(bodies())) : bring(bodies())),
    book: (notBefore) => budget.book(channelId, notBefore),
    onRefused(error) {
      gone = isDiscordCode(error, RESTJSONErrorCodes.UnknownMessage);
      onRefused(error);
    },
    timers,
    now,
  });

  /** Makes Discord show these messages. Stopped half-way by an error, the next call does the rest. */
  async function bring(bodies: Body[]): Promise<void> {
    for (const [index, body] of bodies.entries()) {
      const page = pages[index];
      if (page && Bun.deepEquals(page.body, body)) continue;
      if (page) {
        await messages.edit(page.shown, body);
        page.body = body;
      } else {
        const shown = await more(body);
        pages.push({ shown, body });
        await onMoved(shown);
      }
    }
    for (let page = pages[bodies.length]; page; page = pages[bodies.length]) {
      await messages.remove(page.shown);
      pages.splice(bodies.length, 1);
    }
  }

  function contents(): string[] {
    const opening = head(question);
    const parts = split(modelText(text), (index) => CONTENT_LIMIT - (index === 0 ? opening.length : 0));
    return parts
      .map((part, index) => (index === 0 ? opening : "") + partText(part))
      .filter((content) => content.trim() !== "");
  }

  function preview(): Body[] {
    const shown = contents().slice(0, MOST_MESSAGES);
    return shown.map((content, index) =>
      withStop(content, index === shown.length - 1 ? answerId : undefined),
    );
  }

  function final(mark: string | undefined): Body[] {
    const shown = text.trim() === "" ? [head(question)] : contents();
    if (shown.length > MOST_MESSAGES) return [inFile(mark)];
    return withMark(shown, mark).map((content) => withStop(content));
  }

  function inFile(mark: string | undefined): Body {
    const [excerpt] = split(modelText(text), () => EXCERPT);
    const whole = note("The answer is too long for Discord's messages: all of it is in the file.");
    const content = [`${head(question)}${excerpt ? partText(excerpt) : ""}\n…`, whole, mark]
      .filter(Boolean)
      .join("\n");
    return { ...withStop(content), file: { name: "answer.md", contentType: "text/markdown", data: text } };
  }

  return {
    status(words) {
      if (text === "") writer.update(() => [openingBody(question, words, answerId)]);
    },
    append(words) {
      text += words;
      worthAnEdit ||= text.trim().length >= FIRST_TEXT;
      if (worthAnEdit) writer.update(preview);
    },
    async finish(mark) {
      if (!gone) await writer.finish(() => final(mark));
    },
  };
}

/** The mark below the text, in a message of its own where the last one is full. */
function withMark(contents: string[], mark: string | undefined): string[] {
  if (!mark) return contents;
  const last = contents.at(-1) ?? "";
  const marked = `${last.trimEnd()}\n${mark}`;
  return marked.length <= CONTENT_LIMIT ? [...contents.slice(0, -1), marked] : [...contents, mark];
}

function withStop(content: string, answerId?: string): Body {
  if (!answerId) return { content, components: [] };
  const stop = {
    type: ComponentType.Button as const,
    style: ButtonStyle.Secondary as const,
    label: "Stop",
    custom_id: `llm:stop:${answerId}`,
  };
  return { content, components: [{ type: ComponentType.ActionRow, components: [stop] }] };
}
