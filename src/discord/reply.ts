import type { APIMessage } from "discord.js";
import type { Form } from "./form.ts";
import type { Body, InteractionKey, Messages, SendOptions, Shown } from "./respond.ts";

/** What one interaction is answered with. */
export interface Reply {
  /** "Thinking…", to be replaced by `show`. */
  defer(options?: { ephemeral?: boolean }): Promise<void>;
  /** For a button: takes the press. `show` then changes the button's own message. */
  acknowledge(): Promise<void>;
  /** The first response: a form to fill in. What is filled in comes as an interaction of its own. */
  modal(form: Form): Promise<void>;
  /** What is shown now, whoever changed it last. Only after the first response. */
  current(): Promise<Pick<APIMessage, "components">>;
  /** The first response, or what replaces it. `options` count for the first response only. */
  show(body: Body, options?: SendOptions): Promise<Shown>;
  /** For a button: changes the buttons under its message, and nothing else of it. Only after `acknowledge`. */
  showButtons(components: NonNullable<Body["components"]>): Promise<void>;
  /** One more message below. */
  more(body: Body, options?: SendOptions): Promise<Shown>;
  /**
   * Says why nothing came of it: to the asker alone where that is still open, otherwise in place of "thinking…". A
   * button's message stays as it is.
   */
  fail(body: Body): Promise<void>;
}

export interface ReplyDeps {
  messages: Messages;
  /** Called once, when Discord took the first response. */
  onFirstResponse: () => void;
}

export function createReply(
  { messages, onFirstResponse }: ReplyDeps,
  key: InteractionKey,
  channelId: string,
): Reply {
  let shown: Shown | undefined;
  let pressed = false;

  async function first(body: Body | undefined, options?: SendOptions): Promise<Shown> {
    shown = await messages.reply(key, channelId, body, options);
    onFirstResponse();
    return shown;
  }

  async function show(body: Body, options?: SendOptions): Promise<Shown> {
    if (!shown) return first(body, options);
    await messages.edit(shown, body);
    return shown;
  }

  return {
    show,
    async defer(options) {
      await first(undefined, options);
    },
    async current() {
      if (!shown) throw new Error("nothing has been shown yet");
      return await messages.read(shown);
    },
    async showButtons(components) {
      if (!shown) throw new Error("nothing has been shown yet");
      await messages.editButtons(shown, components);
    },
    async acknowledge() {
      await messages.acknowledge(key);
      pressed = true;
      shown = { channelId, messageId: undefined, ephemeral: false, via: key };
      onFirstResponse();
    },
    async modal(form) {
      await messages.modal(key, form);
      pressed = true;
      onFirstResponse();
    },
    more: (body, options) => messages.followUp(key, channelId, body, options),
    async fail(body) {
      if (pressed) await messages.followUp(key, channelId, body, { ephemeral: true });
      else await show(body, { ephemeral: true });
    },
  };
}
