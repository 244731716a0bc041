/** @jsxImportSource hono/jsx */
import { formatBytes } from "../../lib/bytes.ts";
import type { DiscordStandIn, ShownButton, ShownMessage } from "../discord/index.ts";
import { Avatar } from "./avatar.tsx";
import { Markdown, type Names } from "./markdown.tsx";
import type { RailProps } from "./rail.tsx";

export interface ChatProps extends RailProps {
  discord: DiscordStandIn;
}

/** The entry of a message's menu that wisbot registers. */
export const ASK_ABOUT = "Ask WisBot about this";

type Embed = ShownMessage["embeds"][number];

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
      data-post="/presses"
      data-button={button.customId}
      data-message={message}
    >
      {button.label}
    </button>
  );

const Attachment = ({
  file: { name, size, url, contentType },
}: {
  file: ShownMessage["attachments"][number];
}) => (
  <a class="file" href={url} target="_blank" rel="noreferrer noopener">
    {contentType.startsWith("image/") && <img src={url} alt="" />}
    <span>
      <strong>{name}</strong> <span>{formatBytes(size)}</span>
    </span>
  </a>
);

const RepliedTo = ({ message, names }: { message: ShownMessage; names: Names }) => {
  const [start = ""] = message.content
    .replace(/[*_`>#]|<@\d+>/g, "")
    .trim()
    .split("\n");
  return (
    <p class="asked" data-part="reply">
      <span aria-hidden="true">↩</span> <strong>{names.person(message.authorId)}</strong> {start.slice(0, 60)}
    </p>
  );
};

interface MessageProps {
  message: ShownMessage;
  /** What it replies to, while that is there. */
  replied: ShownMessage | undefined;
  discord: DiscordStandIn;
}

/** The parts are apart, so that a text that grows does not take the button away under a finger. */
const Message = ({ message, replied, discord }: MessageProps) => {
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
      {replied && <RepliedTo message={replied} names={names} />}
      {asked?.command && (
        <p class="asked" data-part="asked">
          <strong>{names.person(asked.personId)}</strong> used{" "}
          <span class="mention">{asked.command === ASK_ABOUT ? ASK_ABOUT : `/${asked.command}`}</span>
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
            {message.attachments.map((file) => (
              <Attachment file={file} />
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
            {!author.bot && (
              <button type="button" class="action" data-post="/choices" data-message={message.id}>
                {ASK_ABOUT}
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
  const messages = discord.messages({ user: as, channel });
  const named = new Map(messages.map((message) => [message.id, message]));
  return (
    <>
      {messages.map((message) => (
        <Message message={message} replied={named.get(message.replyTo ?? "")} discord={discord} />
      ))}
    </>
  );
}
