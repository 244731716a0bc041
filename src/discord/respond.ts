import { SpanKind } from "@opentelemetry/api";
import {
  type APIActionRowComponent,
  type APIComponentInMessageActionRow,
  type APIEmbed,
  type APIMessage,
  InteractionResponseType,
  type RawFile,
  type REST,
  RESTJSONErrorCodes,
  Routes,
} from "discord.js";
import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { fromDiscord, isDiscordCode } from "./errors.ts";
import { type Form, formData } from "./form.ts";
import { flagsOf, ordinary, payload } from "./payload.ts";

// The only place that sends to Discord or edits there, so that what holds for every message is said once.

/** All that a message shows: an edit with a body takes away what the body does not name. */
export interface Body {
  content?: string;
  embeds?: APIEmbed[];
  components?: APIActionRowComponent<APIComponentInMessageActionRow>[];
  file?: { name: string; contentType: string; data: string | Uint8Array };
}

/** How an interaction is answered. */
export interface InteractionKey {
  id: string;
  token: string;
  applicationId: string;
  /** When it arrived, milliseconds since the epoch. */
  at: number;
  /** The bot is not where it was asked: nothing can be done there but with the token, and that runs out. */
  alone?: boolean | undefined;
}

/** A message of the bot. */
export interface Shown {
  channelId: string;
  /** Undefined: the first reply of `via`, whatever its id. */
  messageId: string | undefined;
  ephemeral: boolean;
  /** The interaction that it answers; undefined for an ordinary message. */
  via: Omit<InteractionKey, "id"> | undefined;
}

/** What may be chosen for an option: each at most 100 characters. */
export interface Choice {
  name: string;
  value: string;
}

export interface SendOptions {
  ephemeral?: boolean;
  /** Discord makes no cards out of the links in it. */
  plainLinks?: boolean;
}

/** Of an ordinary message. */
export interface MessageOptions {
  /** At most 25 characters: with the same one a message is sent once, however often it is tried. */
  nonce?: string | undefined;
  /** The message that it answers; fine when that is gone. */
  replyTo?: string | undefined;
  plainLinks?: boolean;
}

/** Throws WisError discord.failed, discord.unreachable, discord.token_refused, with Discord's own error as cause. */
export interface Messages {
  /** The first response to an interaction. `body` undefined: "thinking…", to be edited. */
  reply(
    key: InteractionKey,
    channelId: string,
    body: Body | undefined,
    options?: SendOptions,
  ): Promise<Shown>;
  /** The first response to a button: its message stays, and may be edited as the reply. */
  acknowledge(key: InteractionKey): Promise<void>;
  /** The first response to a command or a button: a form to fill in. */
  modal(key: InteractionKey, form: Form): Promise<void>;
  /** What somebody who types an option may choose: at most 25. */
  suggest(key: InteractionKey, choices: Choice[]): Promise<void>;
  /** One more message to an interaction that has been answered. */
  followUp(key: InteractionKey, channelId: string, body: Body, options?: SendOptions): Promise<Shown>;
  send(channelId: string, body: Body, options?: MessageOptions): Promise<Shown>;
  /** "WisBot is typing…", for the next 10 s or until it sends something. */
  typing(channelId: string): Promise<void>;
  /** Opens a thread under a message; gives its id. `name`: 1 to 100 characters. */
  startThread(channelId: string, messageId: string, name: string): Promise<string>;
  edit(shown: Shown, body: Body): Promise<void>;
  /** Leaves everything else as it is. */
  editButtons(shown: Shown, components: NonNullable<Body["components"]>): Promise<void>;
  read(shown: Shown): Promise<APIMessage>;
  /** Fine when it is gone already. */
  remove(shown: Shown): Promise<void>;
  /** The channel of direct messages to a user. */
  directChannel(userId: string): Promise<string>;
}

export interface MessagesDeps {
  rest: REST;
  telemetry: Telemetry;
  now: Now;
}

/** What an answered interaction answers. A proxy in between may keep it to itself: 204 is a success too. */
interface Answered {
  interaction?: { response_message_id?: string };
}

// An interaction token lives 15 minutes; a minute is kept for requests that wait for a rate limit.
const TOKEN_LIVES_MS = 15 * 60_000;
const TOKEN_IS_USED_MS = 14 * 60_000;

/** By when a reply that is reached by its token alone has to have its last text, milliseconds since the epoch. */
export function closesAt({ at }: Pick<InteractionKey, "at">): number {
  return at + TOKEN_IS_USED_MS;
}

export function createMessages({ rest, telemetry, now }: MessagesDeps): Messages {
  /** `name` is a span's name and completes "Discord refused to …". */
  async function call<T>(name: string, run: () => Promise<unknown>): Promise<T> {
    return telemetry.span(`discord.rest ${name}`, { kind: SpanKind.CLIENT }, async () => {
      try {
        return (await run()) as T;
      } catch (error) {
        throw fromDiscord(error, name);
      }
    });
  }

  async function callback(
    key: InteractionKey,
    type: InteractionResponseType,
    { data, files = [] }: { data?: object | undefined; files?: RawFile[] } = {},
  ) {
    return call<Answered>("answer an interaction", () =>
      rest.post(Routes.interactionCallback(key.id, key.token), {
        // It answers with the message's id, needed when the token has run out.
        query: new URLSearchParams({ with_response: "true" }),
        body: { type, ...(data && { data }) },
        files,
        auth: false,
      }),
    );
  }

  /** Where a message is read and changed: by interaction token while that lasts, by channel and id afterwards. */
  function place({ via, channelId, messageId, ephemeral }: Shown) {
    const age = via ? now() - via.at : Number.POSITIVE_INFINITY;
    // The bot can't reach an ephemeral message without the interaction, nor one whose id it never learned.
    const onlyByToken = ephemeral || messageId === undefined || via?.alone === true;
    if (via && age < (onlyByToken ? TOKEN_LIVES_MS : TOKEN_IS_USED_MS)) {
      const path = Routes.webhookMessage(via.applicationId, via.token, messageId ?? "@original");
      return { path, auth: false };
    }
    if (onlyByToken) throw tooLate();
    return { path: Routes.channelMessage(channelId, messageId), auth: true };
  }

  async function send(channelId: string, body: Body, options: MessageOptions = {}): Promise<Shown> {
    const { data, files } = ordinary(body, options);
    const sent = await call<APIMessage>("send a message", () =>
      rest.post(Routes.channelMessages(channelId), { body: data, files }),
    );
    return { channelId: sent.channel_id, messageId: sent.id, ephemeral: false, via: undefined };
  }

  return {
    async reply(key, channelId, body, options = {}) {
      const type = body
        ? InteractionResponseType.ChannelMessageWithSource
        : InteractionResponseType.DeferredChannelMessageWithSource;
      const flags = flagsOf(options);
      const deferred = { data: flags ? { flags } : undefined };
      const { interaction } = await callback(key, type, body ? payload(body, flags) : deferred);
      const messageId = interaction?.response_message_id;
      return { channelId, messageId, ephemeral: options.ephemeral === true, via: key };
    },
    async acknowledge(key) {
      await callback(key, InteractionResponseType.DeferredMessageUpdate);
    },
    async modal(key, form) {
      await callback(key, InteractionResponseType.Modal, { data: formData(form) });
    },
    async suggest(key, choices) {
      await callback(key, InteractionResponseType.ApplicationCommandAutocompleteResult, {
        data: { choices },
      });
    },
    async followUp(key, channelId, body, options = {}) {
      const onlyByToken = options.ephemeral === true || key.alone === true;
      const age = now() - key.at;
      if (age >= TOKEN_LIVES_MS && onlyByToken) throw tooLate();
      if (age >= TOKEN_IS_USED_MS && !onlyByToken) return send(channelId, body, options);
      const { data, files } = payload(body, flagsOf(options));
      const sent = await call<APIMessage>("send a follow-up", () =>
        rest.post(Routes.webhook(key.applicationId, key.token), {
          query: new URLSearchParams({ wait: "true" }),
          body: data,
          files,
          auth: false,
        }),
      );
      return { channelId, messageId: sent.id, ephemeral: options.ephemeral === true, via: key };
    },
    send,
    async typing(channelId) {
      await call("show that it is typing", () => rest.post(Routes.channelTyping(channelId)));
    },
    async startThread(channelId, messageId, name) {
      const { id } = await call<{ id: string }>("open a thread", () =>
        rest.post(Routes.threads(channelId, messageId), { body: { name } }),
      );
      return id;
    },
    async edit(shown, body) {
      const { path, auth } = place(shown);
      const { data, files } = payload(body);
      // An edit keeps the attachments that it does not mention.
      const whole = { embeds: [], components: [], attachments: [], ...data };
      await call("edit a message", () => rest.patch(path, { body: whole, files, auth }));
    },
    async editButtons(shown, components) {
      const { path, auth } = place(shown);
      const body = { components, allowed_mentions: { parse: [] } };
      await call("edit a message", () => rest.patch(path, { body, auth }));
    },
    async read(shown) {
      const { path, auth } = place(shown);
      return call<APIMessage>("read a message", () => rest.get(path, { auth }));
    },
    async remove(shown) {
      const { path, auth } = place(shown);
      try {
        await call("delete a message", () => rest.delete(path, { auth }));
      } catch (error) {
        if (!isDiscordCode(error, RESTJSONErrorCodes.UnknownMessage)) throw error;
      }
    },
    async directChannel(userId) {
      const body = { recipient_id: userId };
      const { id } = await call<{ id: string }>("open a direct message", () =>
        rest.post(Routes.userChannels(), { body }),
      );
      return id;
    },
  };
}

function tooLate(): WisError {
  return new WisError("discord.failed", {
    say: "Discord keeps a reply open for 15 minutes, and they are over.",
    hint: "Run the command again.",
  });
}
