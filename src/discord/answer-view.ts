import { RESTJSONErrorCodes } from "discord.js";
import { isBlank } from "../lib/blank.ts";
import type { Now } from "../lib/clock.ts";
import type { AnswerEvent } from "../llm/llm.ts";
import { againRows, answerRows, type Offered, type Rows, stopRows } from "./answer-controls.ts";
import { hasLongTable, isWorthAFile, markdownFile } from "./answer-file.ts";
import { answerFooter, waitingText } from "./answer-footer.ts";
import type { EditBudget } from "./edit-budget.ts";
import { isDiscordCode } from "./errors.ts";
import { modelText } from "./model-text.ts";
import { head, openingBody } from "./opening.ts";
import { CONTENT_LIMIT, note } from "./render.ts";
import type { Body, Messages, Shown } from "./respond.ts";
import { asPreview } from "./rest.ts";
import { partText, split } from "./split.ts";
import { createStreamWriter } from "./stream-writer.ts";
import type { Timers } from "./timers.ts";

/** A model's answer in Discord, growing. */
export interface AnswerView {
  /** Shows what goes on until the first words come, then the words. */
  take(event: AnswerEvent): void;
  /**
   * The last state: what can be done with an answer stands below in place of Stop, small print and `mark`, if any, above
   * that. Nothing where the message was deleted.
   */
  finish(mark?: string): Promise<void>;
  /** The last state where Discord takes no further message: what the messages hold that are there, and `mark` below. */
  leave(mark: string): Promise<void>;
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
/** Left free in every message, so that what is to stand below the end finds room without moving anything. */
const ROOM_BELOW = 120;
const EMPTY = note("The model gave an empty answer. Ask in other words.");

export function createAnswerView(
  deps: AnswerViewDeps,
  { question, answerId, first }: AnswerViewInput,
): AnswerView {
  const { messages, more, onMoved, onRefused, budget, timers, now } = deps;
  const { via, channelId } = first.shown;
  const pages = [first];
  let text = "";
  let done: Extract<AnswerEvent, { type: "done" }> | undefined;
  let worthAnEdit = false;
  let gone = false;

  // Messages are made when they are written: tokens come far more often than that.
  const writer = createStreamWriter<() => Body[]>({
    write: (bodies, kind) => (kind === "preview" ? asPreview(() => bring(bodies())) : bring(bodies())),
    book: (notBefore) => budget.book(via ? { token: via.token } : { channelId }, notBefore),
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

  /** `roomBelow(index)`: characters that are left free in a message. */
  function contents(roomBelow: (index: number) => number = () => ROOM_BELOW): string[] {
    const opening = head(question);
    const limitOf = (index: number) => CONTENT_LIMIT - roomBelow(index) - (index === 0 ? opening.length : 0);
    const parts = split(modelText(text), limitOf);
    return parts
      .map((part, index) => (index === 0 ? opening : "") + partText(part))
      .filter((content) => content.trim() !== "");
  }

  function preview(): Body[] {
    const shown = contents().slice(0, MOST_MESSAGES);
    // A code block that has only begun shows nothing yet, and no message can be empty.
    return shown.length > 0 ? bodies(shown, stopRows(answerId)) : [first.body];
  }

  function final(mark: string | undefined): Body[] {
    const footer = done && answerFooter(done.model, done.facts);
    // Words can come to nothing that Discord shows, as a code block without code does.
    const nothing = isBlank(modelText(text));
    const below = [mark ?? (nothing && EMPTY), footer].filter(Boolean).join("\n");
    if (nothing) return bodies(withBelow([head(question)], below), againRows(answerId));
    const shown = contents();
    if (shown.length > MOST_MESSAGES || hasLongTable(text)) return inFile(below);
    return bodies(withBelow(shown, below), controls(isWorthAFile(text) ? "file" : undefined));
  }

  function controls(whole: Offered["whole"]): Rows {
    if (!done) return againRows(answerId);
    const { cutOff, hasThinking } = done.facts;
    return answerRows(answerId, { more: cutOff, thinking: hasThinking, whole });
  }

  function inFile(below: string): Body[] {
    const [excerpt] = split(modelText(text), () => EXCERPT);
    const whole = note("Too long for Discord's messages: all of it is in the file.");
    const begin = `${head(question)}${excerpt ? partText(excerpt) : ""}\n…\n${whole}`;
    const [first = {}, ...rest] = bodies(withBelow([begin], below), controls("web"));
    return [{ ...first, file: markdownFile("answer.md", text) }, ...rest];
  }

  function status(words: string): void {
    if (text === "") writer.update(() => [openingBody(question, words, answerId)]);
  }

  function append(words: string): void {
    text += words;
    worthAnEdit ||= text.trim().length >= FIRST_TEXT;
    if (worthAnEdit) writer.update(preview);
  }

  return {
    take(event) {
      if (event.type === "waiting") status(waitingText(event));
      if (event.type === "loading") status(`Loading the model ${event.model}…`);
      if (event.type === "thinking") status("Thinking…");
      if (event.type === "text") append(event.text);
      if (event.type === "done") done = event;
    },
    async finish(mark) {
      if (!gone) await writer.finish(() => final(mark));
    },
    async leave(mark) {
      const last = pages.length - 1;
      const kept = contents((index) => (index === last ? mark.length + 1 : ROOM_BELOW)).slice(
        0,
        pages.length,
      );
      await bring(bodies(withBelow(kept, mark), againRows(answerId)));
    },
  };
}

/** One message each, with the buttons under the last. */
function bodies(contents: string[], rows: Rows): Body[] {
  return contents.map((content, index) => ({
    content,
    components: index === contents.length - 1 ? rows : [],
  }));
}

/** What stands below the text, in a message of its own where the last one is full. */
function withBelow(contents: string[], below: string): string[] {
  if (below === "") return contents;
  const last = (contents.at(-1) ?? "").trimEnd();
  const marked = last === "" ? below : `${last}\n${below}`;
  return marked.length <= CONTENT_LIMIT ? [...contents.slice(0, -1), marked] : [...contents, below];
}
