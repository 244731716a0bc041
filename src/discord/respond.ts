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
import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { fromDiscord, isDiscordCode } from "./errors.ts";
import { type Form, formData } from "./form.ts";
import { flagsOf, ordinary, payload } from "./payload.ts";
import { eitherWay, TOKEN_IS_USED_MS } from "./token-life.ts";

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

/** By when a reply that is reached by its token alone has to have its last text, milliseconds since the epoch. */
export function closesAt({ at }: Pick<InteractionKey, "at">): number {
  return at + TOKEN_IS_USED_MS;
}

export function createMessages({ rest, telemetry, now }: MessagesDeps): Messages {
  const life = { now, over: new WeakSet<InteractionKey>() };
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

  /** Asks about one message. `name` as `call` has it. */
  function at<T>(
    name: string,
    { via, channelId, messageId = "@original", ...shown }: Shown,
    ask: (where: { path: `/${string}`; auth: boolean }) => Promise<unknown>,
  ): Promise<T> {
    // The bot can't reach an ephemeral message without the interaction, nor one whose id it never learned.
    const onlyByToken = shown.ephemeral || messageId === "@original" || via?.alone === true;
    return eitherWay(life, via, {
      onlyByToken,
      byToken({ applicationId, token }) {
        const path = Routes.webhookMessage(applicationId, token, messageId);
        return call<T>(name, () => ask({ path, auth: false }));
      },
      byChannel: () =>
        call<T>(name, () => ask({ path: Routes.channelMessage(channelId, messageId), auth: true })),
    });
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
    followUp(key, channelId, body, options = {}) {
      const { ephemeral = false } = options;
      return eitherWay(life, key, {
        onlyByToken: ephemeral || key.alone === true,
        async byToken() {
          const { data, files } = payload(body, flagsOf(options));
          const sent = await call<APIMessage>("send a follow-up", () =>
            rest.post(Routes.webhook(key.applicationId, key.token), {
              query: new URLSearchParams({ wait: "true" }),
              body: data,
              files,
              auth: false,
            }),
          );
          return { channelId, messageId: sent.id, ephemeral, via: key };
        },
        byChannel: () => send(channelId, body, options),
      });
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
      const { data, files } = payload(body);
      // An edit keeps the attachments that it does not mention.
      const whole = { embeds: [], components: [], attachments: [], ...data };
      await at("edit a message", shown, ({ path, auth }) => rest.patch(path, { body: whole, files, auth }));
    },
    async editButtons(shown, components) {
      const body = { components, allowed_mentions: { parse: [] } };
      await at("edit a message", shown, ({ path, auth }) => rest.patch(path, { body, auth }));
    },
    read: (shown) => at<APIMessage>("read a message", shown, ({ path, auth }) => rest.get(path, { auth })),
    async remove(shown) {
      try {
        await at("delete a message", shown, ({ path, auth }) => rest.delete(path, { auth }));
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
