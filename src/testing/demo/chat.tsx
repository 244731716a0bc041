/** @jsxImportSource hono/jsx */
import { formatBytes } from "../../lib/bytes.ts";
import type { DiscordStandIn, ShownButton, ShownMessage } from "../discord/index.ts";
import { Markdown, type Names } from "./markdown.tsx";

export interface ChatProps {
  discord: DiscordStandIn;
  /** Name of the person who looks. */
  as: string;
  /** Name of the channel, or `dm`. */
  channel: string;
}

type Embed = ShownMessage["embeds"][number];

const hueOf = (name: string) => [...name].reduce((sum, letter) => sum + letter.charCodeAt(0) * 137, 0) % 360;

export const Avatar = ({ name, bot = false }: { name: string; bot?: boolean }) => (
  <span class={bot ? "avatar bot" : "avatar"} style={bot ? "" : `--hue: ${hueOf(name)}`} aria-hidden="true">
    {name.slice(0, 1)}
  </span>
);

const Field = ({ field, names }: { field: NonNullable<Embed["fields"]>[number]; names: Names }) => (
  <div class={field.inline ? "field inline" : "field"}>
    <h3>{field.name}</h3>
    <Markdown text={field.value} names={names} />
  </div>
);

const EmbedCard = ({ embed, names }: { embed: Embed; names: Names }) => {
  const colour =
    typeof embed.color === "number" ? `--edge: #${embed.color.toString(16).padStart(6, "0")}` : "";
  return (
    <div class="embed" style={colour}>
      {embed.title && (
        <div class="title">
          <Markdown text={embed.title} names={names} />
        </div>
      )}
      {embed.description && <Markdown text={embed.description} names={names} />}
      {embed.fields && embed.fields.length > 0 && (
        <div class="fields">
          {embed.fields.map((field) => (
            <Field field={field} names={names} />
          ))}
        </div>
      )}
      {embed.footer && <p class="small">{embed.footer.text}</p>}
    </div>
  );
};

const ActionButton = ({ button, message }: { button: ShownButton; message: string }) =>
  button.url ? (
    <a class="action link" href={button.url} target="_blank" rel="noreferrer noopener">
      {button.label} <span aria-hidden="true">↗</span>
    </a>
  ) : (
    <button
      type="button"
      class={`action ${button.style}`}
      disabled={button.disabled}
      data-press={button.customId}
      data-message={message}
    >
      {button.label}
    </button>
  );

/** The parts are apart, so that a text that grows does not take the button away under a finger. */
const Message = ({ message, discord }: { message: ShownMessage; discord: DiscordStandIn }) => {
  const author = discord.user(message.authorId);
  const names: Names = {
    person: (id) => discord.people.find((one) => one.id === id)?.displayName ?? "unknown",
  };
  const { asked } = message;
  const sentAt = new Date(message.createdAt).toISOString();
  return (
    <article
      id={`m${message.id}`}
      class={message.ephemeral ? "message ephemeral" : "message"}
      aria-busy={message.loading ? "true" : undefined}
    >
      {asked?.command && (
        <p class="asked" data-part="asked">
          <strong>{names.person(asked.personId)}</strong> used <span class="mention">/{asked.command}</span>
        </p>
      )}
      <div class="row">
        <Avatar name={author.displayName} bot={author.bot} />
        <div class="content">
          <p class="author" data-part="author">
            <strong>{author.displayName}</strong>
            {author.bot && <span class="tag">APP</span>}
            <time datetime={sentAt} data-style="t">
              {sentAt}
            </time>
            {message.editedAt !== null && <span class="edited">(edited)</span>}
          </p>
          <div class="text" data-part="text">
            {message.loading ? (
              <p class="thinking">
                <span aria-hidden="true" />
                WisBot is thinking…
              </p>
            ) : (
              <Markdown text={message.content} names={names} />
            )}
          </div>
          <div class="more" data-part="more">
            {message.embeds.map((embed) => (
              <EmbedCard embed={embed} names={names} />
            ))}
            {message.attachments.map(({ name, size, url }) => (
              <a class="file" href={url} target="_blank" rel="noreferrer noopener">
                <strong>{name}</strong> <span>{formatBytes(size)}</span>
              </a>
            ))}
          </div>
          <div class="actions" data-part="actions">
            {message.buttons.map((button) => (
              <ActionButton button={button} message={message.id} />
            ))}
            {!message.ephemeral && (
              <button type="button" class="action" data-reply={message.id} data-author={author.displayName}>
                Reply
              </button>
            )}
          </div>
          {message.ephemeral && (
            <p class="only" data-part="only">
              <span aria-hidden="true">👁</span> Only you can see this
            </p>
          )}
        </div>
      </div>
    </article>
  );
};

/** Everything that this person sees in this channel. */
export function Chat({ discord, as, channel }: ChatProps) {
  return (
    <>
      {discord.messages({ user: as, channel }).map((message) => (
        <Message message={message} discord={discord} />
      ))}
    </>
  );
}
