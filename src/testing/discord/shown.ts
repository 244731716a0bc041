import { type APIMessageTopLevelComponent, ButtonStyle, ComponentType } from "discord-api-types/v10";
import type { EmbedInput } from "./forms/message.ts";
import { isEphemeral, type Message, type Version } from "./message.ts";
import { isLoading } from "./payloads.ts";

export interface ShownButton {
  label: string;
  style: "primary" | "secondary" | "success" | "danger" | "link" | "premium";
  disabled: boolean;
  /** Undefined for a link. */
  customId: string | undefined;
  url: string | undefined;
}

/** A message as it stood at one moment. Times in milliseconds since the epoch. */
export interface ShownMessage {
  id: string;
  channelId: string;
  authorId: string;
  content: string;
  embeds: EmbedInput[];
  buttons: ShownButton[];
  attachments: {
    id: string;
    name: string;
    size: number;
    contentType: string;
    url: string;
    bytes: Uint8Array;
  }[];
  /** Only one person sees it. */
  ephemeral: boolean;
  /** "WisBot is thinking…" */
  loading: boolean;
  flags: number;
  /** Whom it notified, edits included: `@everyone`, `<@1>`, `<@&2>`. */
  pings: string[];
  /** Every text it had, in order; the last is `content`. */
  history: Version[];
  createdAt: number;
  editedAt: number | null;
  deleted: boolean;
  /** Who asked for it, by which command, without the slash; undefined for a button. */
  asked: { personId: string; command: string | undefined } | undefined;
  nonce: string | number | undefined;
  /** The message that it replies to. */
  replyTo: string | undefined;
}

const STYLES = {
  [ButtonStyle.Primary]: "primary",
  [ButtonStyle.Secondary]: "secondary",
  [ButtonStyle.Success]: "success",
  [ButtonStyle.Danger]: "danger",
  [ButtonStyle.Link]: "link",
  [ButtonStyle.Premium]: "premium",
} as const;

export function shown(message: Message): ShownMessage {
  const { id, channelId, authorId, content, embeds, flags, pings, history, interaction, replyTo } = message;
  return {
    id,
    replyTo,
    channelId,
    authorId,
    content,
    embeds: [...embeds],
    buttons: message.components.flatMap(buttonsIn),
    attachments: message.attachments.map(({ id, filename, size, content_type, url, bytes }) => ({
      id,
      name: filename,
      size,
      contentType: content_type,
      url,
      bytes,
    })),
    ephemeral: isEphemeral(message),
    loading: isLoading(message),
    flags,
    pings: [...pings],
    history: [...history],
    createdAt: message.createdAt,
    editedAt: message.editedAt,
    deleted: message.deleted,
    asked: interaction && { personId: interaction.personId, command: interaction.command },
    nonce: message.nonce,
  };
}

function buttonsIn(component: APIMessageTopLevelComponent): ShownButton[] {
  if (component.type === ComponentType.Container)
    return component.components.flatMap((inner) =>
      inner.type === ComponentType.ActionRow ? buttonsIn(inner) : [],
    );
  if (component.type !== ComponentType.ActionRow) return [];
  return component.components.flatMap((button) => {
    if (button.type !== ComponentType.Button) return [];
    return {
      label: ("label" in button ? button.label : undefined) ?? "",
      style: STYLES[button.style],
      disabled: button.disabled ?? false,
      customId: "custom_id" in button ? button.custom_id : undefined,
      url: "url" in button ? button.url : undefined,
    };
  });
}

/** Whether a person sees it in the channel: an ephemeral one only who asked for it. */
export const visibleTo = (message: Message, personId: string) =>
  !message.deleted && (!isEphemeral(message) || message.interaction?.personId === personId);
