import type { CdnTrouble } from "./cdn.ts";
import type { WaitOptions } from "./changes.ts";
import type { Asked, AttachedFile } from "./client.ts";
import { menuCommand } from "./commands.ts";
import { type Interaction, openInteraction } from "./interaction.ts";
import type { Message, Messages } from "./message.ts";
import { messagePayload } from "./payloads.ts";
import { type ShownMessage, shown, visibleTo } from "./shown.ts";
import type { Channel, Person, World } from "./world.ts";

type Named = Pick<ShownMessage, "id">;

export interface Writing {
  user?: string;
  channel?: string;
  content: string;
  /** The message that it replies to. */
  replyTo?: Named;
  /** Whether who is replied to is notified. Default true. */
  pings?: boolean;
  files?: Pick<AttachedFile, "name" | "bytes" | "contentType" | "trouble">[];
}

/** What people write, read and do with messages. */
export interface WritingClient {
  /** Writes an ordinary message. */
  say(writing: Writing): ShownMessage;
  /** Its author changes what a message says. */
  reword(message: Named, content: string): void;
  /** Its author, or a moderator, deletes a message. */
  unsay(message: Named): void;
  /** Chooses an entry of a message's menu. */
  choose(choice: { user?: string; message: Named; command: string }): Asked;
  /** What a person sees in a channel, oldest first; without a person: everything that is not ephemeral. */
  messages(place?: { channel?: string; user?: string }): ShownMessage[];
  /** Waits until a message in the channel is as wanted, and gives it. */
  waitForMessage(
    wanted: (message: ShownMessage) => boolean,
    place?: { channel?: string; user?: string } & WaitOptions,
  ): Promise<ShownMessage>;
}

export interface WritingClientDeps {
  world: World;
  messages: Messages;
  personOf(name: string | undefined): Person;
  channelOf(name: string | undefined, person: Person | undefined): Channel;
  send(interaction: Interaction, data: object): Asked;
}

export function createWritingClient(deps: WritingClientDeps): WritingClient {
  const { world, messages, personOf, channelOf, send } = deps;

  function messageOf({ id }: Named): Message {
    const message = world.messages.get(id);
    if (!message || message.deleted) throw new Error("There is no such message.");
    return message;
  }

  function seen(place: { channel?: string; user?: string } = {}): Message[] {
    const person = place.user === undefined ? undefined : personOf(place.user);
    const channel = channelOf(place.channel, person);
    return [...world.messages.values()].filter(
      (one) => one.channelId === channel.id && visibleTo(one, person?.id ?? ""),
    );
  }

  return {
    say({ user, channel: place, content, replyTo, pings = true, files = [] }) {
      const person = personOf(user);
      const channel = channelOf(place, person);
      const quiet = { parse: ["users" as const, "roles" as const, "everyone" as const], replied_user: false };
      const message = messages.create({
        channel,
        authorId: person.id,
        body: { content, ...(!pings && { allowed_mentions: quiet }) },
        files: files.map(asUploaded),
        ...(replyTo && { replyTo: replyTo.id }),
      });
      return shown(message);
    },
    reword: (message, content) => messages.edit(messageOf(message), { content }, []),
    unsay: (message) => messages.delete(messageOf(message)),
    choose({ user, message: named, command: name }) {
      const person = personOf(user);
      const message = messageOf(named);
      const channel = channelOf(message.channelId, person);
      const { id, body } = menuCommand(world, name, channel.guildId);
      const interaction = openInteraction(world, { type: 2, person, channel, own: false, command: name });
      const resolved = { messages: { [message.id]: messagePayload(world, message) } };
      return send(interaction, { id, name: body.name, type: 3, target_id: message.id, resolved });
    },
    messages: (place) => seen(place).map(shown),
    waitForMessage(wanted, { channel, user, ...options } = {}) {
      const place = { ...(channel !== undefined && { channel }), ...(user !== undefined && { user }) };
      const probe = () => seen(place).map(shown).find(wanted);
      const texts = () => seen(place).map(({ content, embeds }) => ({ content, embeds }));
      return world.changes.until("a message", probe, { seen: texts, ...options });
    },
  };
}

function asUploaded(file: NonNullable<Writing["files"]>[number], index: number) {
  const { name, bytes, contentType = "application/octet-stream", trouble } = file;
  return { index, name, contentType, bytes, ...(trouble && { trouble: trouble satisfies CdnTrouble }) };
}
