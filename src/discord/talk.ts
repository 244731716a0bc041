import { SpanKind } from "@opentelemetry/api";
import type { Config } from "../config/schema.ts";
import { isWisError, WisError } from "../errors.ts";
import { shuttingDown, takenBack } from "../llm/endings.ts";
import type { Answer } from "../llm/llm.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { type AnsweringDeps, showAnswer } from "./answering.ts";
import { fetchEnclosures } from "./enclosures.ts";
import { isFinalNo } from "./errors.ts";
import { createExplainer } from "./explainer.ts";
import { type Heard, hear, type Said } from "./heard.ts";
import { createRoom, type Room } from "./room.ts";

/** Answers what people write, as the gateway tells of it. */
export interface MessageListener {
  created(said: Said): void;
  updated(said: Said): void;
  deleted(messageIds: readonly string[]): void;
  /** From now on the answer is that wisbot is shutting down. Resolves when every open message has its last edit. */
  drain(): Promise<void>;
}

export interface MessageListenerDeps extends AnsweringDeps {
  config: Pick<Config, "discord">;
  /** Ends what is still coming in when wisbot ends. Its reason is a WisError. */
  closing: AbortSignal;
  telemetry: Telemetry;
  metrics: Metrics;
}

/** Messages of one person that are being answered. */
const MOST_AT_ONCE = 5;
const NAME = "message";
const HELP =
  "Mention me with a question, reply to one of my answers to go on from there, or write me a direct message. " +
  "`/wis help` says what else I do.";

/** A message that is being answered. */
interface Open {
  authorId: string;
  /** As it reads now; undefined: it is gone, or no question any more. */
  heard: Heard | undefined;
  /** Aborted when the question was changed or deleted; the next round has another one. */
  round: AbortController;
}

export function createMessageListener(deps: MessageListenerDeps): MessageListener {
  const { config, llm, closing, telemetry, metrics, now } = deps;
  const open = new Map<string, Open>();
  const working = new Set<Promise<void>>();
  let draining = false;

  function track(work: Promise<void>): void {
    const tracked = work
      // Recorded already, unless it is that the last word did not reach its person.
      .catch((error) => void telemetry.record(error, `answering a ${NAME}`))
      .finally(() => working.delete(tracked));
    working.add(tracked);
  }

  /** Where a moderator had every message be a question, and questions are taken: nobody is refused what they did not ask. */
  async function beginWhereFree(heard: Heard): Promise<void> {
    const { channel, server } = await llm.place(heard.where);
    if (channel?.freeResponse && !server?.off) begin(heard);
  }

  function begin(heard: Heard): void {
    const { id, member, where } = heard;
    const mine = [...open.values()].filter(({ authorId }) => authorId === member.id).length;
    // Who is being told that it is too much is not told so for every further message.
    if (mine > MOST_AT_ONCE || open.has(id)) return;
    const one: Open = { authorId: member.id, heard, round: new AbortController() };
    open.set(id, one);
    const attributes = {
      [attribute.userId]: member.id,
      [attribute.channelId]: where.channelId,
      ...(where.guildId && { [attribute.guildId]: where.guildId }),
    };
    const options = { root: true, kind: SpanKind.SERVER, attributes };
    const refusal = mine === MOST_AT_ONCE ? tooMany() : draining ? shuttingDown() : undefined;
    const work = telemetry.span("discord.message", options, () => attend(one, heard, refusal));
    track(work.finally(() => open.delete(id)));
  }

  async function attend(one: Open, heard: Heard, refusal: WisError | undefined): Promise<void> {
    const at = now();
    const room = createRoom(deps, heard, {
      onFirstMessage: () => metrics.interactions.firstResponse.record((now() - at) / 1000, { command: NAME }),
    });
    const explainer = createExplainer(telemetry, `answering a ${NAME}`);
    try {
      if (refusal) throw refusal;
      await answerAsItReads(one, room, explainer.explain);
    } catch (error) {
      // What Discord refused to show, it would refuse to show with this below it.
      const show = !explainer.hasExplained(error) && !isFinalNo(error);
      const content = explainer.explain(error);
      if (show) await room.show({ content });
      throw error;
    } finally {
      metrics.interactions.duration.record((now() - at) / 1000, {
        command: NAME,
        outcome: explainer.outcome,
      });
    }
  }

  /** Once more for every change of the question while it was being answered. */
  async function answerAsItReads(one: Open, room: Room, explain: (error: unknown) => string): Promise<void> {
    for (let { heard, round } = one; heard; { heard, round } = one) {
      await answer(heard, room, { signal: round.signal, explain }).catch((error: unknown) => {
        if (!round.signal.aborted) throw error;
        if (!isWisError(error, "llm.stopped")) explain(error);
      });
      if (!round.signal.aborted) return;
      one.round = new AbortController();
    }
    await room.clear();
  }

  async function answer(
    heard: Heard,
    room: Room,
    { signal, explain }: { signal: AbortSignal; explain(error: unknown): string },
  ): Promise<void> {
    const { member, prompt, words, where, attachments } = heard;
    const { cdn } = config.discord;
    if (prompt === "") {
      await room.show({ content: HELP });
      return;
    }
    using _typing = room.typing();
    const fetchAll = (entering: AbortSignal) =>
      fetchEnclosures(attachments, { cdn, closing: AbortSignal.any([closing, signal, entering]) });
    const asking = llm.ask({
      ...{ member, prompt, where },
      attachments: attachments.length > 0 ? fetchAll : undefined,
      spot: () => room.open(words),
    });
    const asked = await untilTakenBack(asking, signal);
    // What is asked stands in the message that it replies to.
    await showAnswer(deps, { asking: Promise.resolve(asked), question: "", member, stage: room, explain });
  }

  async function untilTakenBack(asking: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    const answer = await asking;
    const withdraw = () => llm.withdraw(answer.id);
    if (signal.aborted) withdraw();
    else signal.addEventListener("abort", withdraw, { once: true });
    return answer;
  }

  /** The question reads otherwise now; undefined: it is none any more. */
  function takeBack(one: Open, heard: Heard | undefined): void {
    one.heard = heard;
    one.round.abort(takenBack());
  }

  return {
    created(said) {
      const heard = hear(said);
      if (heard?.called) begin(heard);
      else if (heard && config.discord.message_content) track(beginWhereFree(heard));
    },
    updated(said) {
      const one = open.get(said.message.id);
      if (!one?.heard) return;
      const heard = hear(said);
      const next = heard?.called || !one.heard.called ? heard : undefined;
      // Discord also tells of the preview that it has made of a link.
      if (!next || !sameQuestion(next, one.heard)) takeBack(one, next);
    },
    deleted(messageIds) {
      for (const id of messageIds) {
        const one = open.get(id);
        if (one) takeBack(one, undefined);
      }
    },
    async drain() {
      draining = true;
      while (working.size > 0) await Promise.all(working);
    },
  };
}

function sameQuestion(one: Heard, other: Heard): boolean {
  return one.words === other.words && one.attachments.length === other.attachments.length;
}

function tooMany(): WisError {
  return new WisError("rate_limited", {
    say: `I am answering ${MOST_AT_ONCE} of your messages already.`,
    hint: "Ask again when one of them is answered.",
  });
}
