import type { Spot } from "../llm/llm.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { AnsweringDeps, AnswerStage } from "./answering.ts";
import type { Heard } from "./heard.ts";
import { note } from "./render.ts";
import type { Body, Shown } from "./respond.ts";
import { NO_THREAD, openThread } from "./threads.ts";

/** Where a message is answered: below it, or in a thread of its own. */
export interface Room extends AnswerStage {
  /** Where the question belongs; opens the thread where every question gets one. */
  open(question: string): Promise<Spot>;
  /** The first message, or what replaces everything that is shown. */
  show(body: Body): Promise<Shown>;
  /** "WisBot is typing…" until something is shown. */
  typing(): Disposable;
  /** Takes away all that was shown. */
  clear(): Promise<void>;
}

export interface RoomDeps extends AnsweringDeps {
  telemetry: Pick<Telemetry, "log">;
}

/** Discord shows it for 10 s. */
const TYPING_MS = 8_000;

export function createRoom(
  { llm, messages, telemetry, timers, now }: RoomDeps,
  { id, applicationId, where, talk }: Heard,
  { onFirstMessage }: { onFirstMessage: () => void },
): Room {
  let shown: Shown[] = [];
  let threadId: string | undefined;
  let remark: string | undefined;
  let hush = () => {};

  /** Threads have no threads, and neither have direct messages; a conversation stays where it is. */
  const mayHaveThread =
    where.guildId !== null &&
    where.parentChannelId === undefined &&
    talk.kind === "chain" &&
    talk.replyTo === undefined;

  async function wantsThread(): Promise<boolean> {
    if (!mayHaveThread) return false;
    const { channel } = await llm.place(where);
    return channel?.threads === true;
  }

  async function send(body: Body, options?: { nonce: string; replyTo: string | undefined }): Promise<Shown> {
    const sent = await messages.send(threadId ?? where.channelId, body, { ...options, plainLinks: true });
    shown.push(sent);
    return sent;
  }

  return {
    async open(question) {
      if (!threadId && !remark && (await wantsThread())) {
        threadId = await openThread(messages, { channelId: where.channelId, messageId: id, question });
        if (!threadId) remark = note(NO_THREAD);
      }
      const place = {
        guildId: where.guildId,
        channelId: threadId ?? where.channelId,
        messageId: null,
        applicationId,
        interactionToken: null,
        interactionAt: now(),
      };
      return { place, talk: threadId ? { kind: "channel", channelId: threadId } : talk };
    },
    async show(body) {
      hush();
      const [first, ...others] = shown;
      if (first) {
        await messages.edit(first, body);
        shown = [first];
        for (const one of others) await messages.remove(one);
        return first;
      }
      const sent = await send(body, { nonce: id, replyTo: threadId ? undefined : id });
      onFirstMessage();
      if (remark) await send({ content: remark });
      return sent;
    },
    more: (body) => send(body),
    typing() {
      let over = false;
      let calledOff = () => {};
      const type = () => {
        messages.typing(threadId ?? where.channelId).then(
          () => {
            if (!over) calledOff = timers.after(TYPING_MS, type);
          },
          // Whoever may not do that may not answer either, and that is recorded.
          (error: unknown) => telemetry.log.debug({ err: error }, "Discord does not show that it is typing"),
        );
      };
      hush = () => {
        over = true;
        calledOff();
      };
      type();
      return { [Symbol.dispose]: () => hush() };
    },
    async clear() {
      for (const one of shown) await messages.remove(one);
    },
  };
}
