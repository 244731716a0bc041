import { MessageFlags } from "discord-api-types/v10";
import { z } from "zod";
import { layout, rows, address as webAddress } from "./components.ts";

// Limits: https://discord.com/developers/docs/resources/message

const snowflake = z.string().regex(/^\d+$/);
const flag = z.boolean().nullish();
const address = webAddress.max(2048);

const embed = z.strictObject({
  type: z.literal("rich").nullish(),
  title: z.string().max(256).nullish(),
  description: z.string().max(4096).nullish(),
  url: address.nullish(),
  timestamp: z.iso.datetime({ offset: true }).nullish(),
  color: z.int().min(0).max(0xffffff).nullish(),
  footer: z.strictObject({ text: z.string().max(2048), icon_url: address.nullish() }).nullish(),
  image: z.strictObject({ url: address }).nullish(),
  thumbnail: z.strictObject({ url: address }).nullish(),
  author: z
    .strictObject({ name: z.string().max(256), url: address.nullish(), icon_url: address.nullish() })
    .nullish(),
  fields: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256),
        value: z.string().min(1).max(1024),
        inline: flag,
      }),
    )
    .max(25)
    .nullish(),
});

export type EmbedInput = z.output<typeof embed>;

const allowedMentions = z
  .strictObject({
    parse: z.array(z.enum(["users", "roles", "everyone"])).nullish(),
    users: z.array(snowflake).max(100).nullish(),
    roles: z.array(snowflake).max(100).nullish(),
    replied_user: flag,
  })
  .superRefine(({ parse, users, roles }, context) => {
    const say = (key: string) =>
      context.addIssue({
        code: "custom",
        path: [key],
        message: `parse:["${key}"] and ${key}: [ids...] are mutually exclusive.`,
        params: { code: "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE" },
      });
    if (users?.length && parse?.includes("users")) say("users");
    if (roles?.length && parse?.includes("roles")) say("roles");
  });

const body = z.strictObject({
  content: z.string().max(2000).nullish(),
  embeds: z.array(embed).max(10).nullish(),
  allowed_mentions: allowedMentions.nullish(),
  components: z.union([rows, layout]).nullish(),
  attachments: z
    .array(
      z.strictObject({
        id: z.union([z.string(), z.int()]),
        filename: z.string().max(1024).nullish(),
        description: z.string().max(1024).nullish(),
        title: z.string().max(1024).nullish(),
        duration_secs: z.number().nullish(),
        waveform: z.string().max(400).nullish(),
      }),
    )
    .max(10)
    .nullish(),
  flags: z.int().nullish(),
  tts: flag,
  // Only channel messages heed these two; discord.js sends them everywhere and Discord lets it.
  nonce: z.union([z.string().max(25), z.int()]).nullish(),
  enforce_nonce: flag,
});

/** What a message says, in every form that a bot may send it. */
export type MessageBody = z.output<typeof body>;

const EMBED_TOTAL = 6000;

function embedLength({ title, description, footer, author, fields }: EmbedInput): number {
  const texts = [title, description, footer?.text, author?.name];
  for (const { name, value } of fields ?? []) texts.push(name, value);
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}

function customIds(components: MessageBody["components"]): string[] {
  return (components ?? []).flatMap((component) => {
    if (component.type === 17) return customIds(component.components);
    if (component.type !== 1) return [];
    return component.components.flatMap(({ custom_id }) => custom_id ?? []);
  });
}

function rules(message: MessageBody, context: z.RefinementCtx): void {
  const say = (path: string, code: string, text: string) =>
    context.addIssue({ code: "custom", path: [path], message: text, params: { code } });
  const total = (message.embeds ?? []).reduce((sum, one) => sum + embedLength(one), 0);
  if (total > EMBED_TOTAL)
    say("embeds", "MAX_EMBED_SIZE_EXCEEDED", `Embed size exceeds maximum size of ${EMBED_TOTAL}`);
  const ids = customIds(message.components);
  if (new Set(ids).size < ids.length)
    say("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
  const isLayout = ((message.flags ?? 0) & MessageFlags.IsComponentsV2) !== 0;
  if (isLayout && (message.content || message.embeds?.length))
    say("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not together with Components V2");
  if (!isLayout && message.components?.some(({ type }) => type !== 1))
    say("components", "UNION_TYPE_CHOICES", "Value of field type must be one of (1,).");
}

/** Flags that a bot may set where; all others Discord sets itself. */
const CHANNEL_FLAGS =
  MessageFlags.SuppressEmbeds | MessageFlags.SuppressNotifications | MessageFlags.IsComponentsV2;
const INTERACTION_FLAGS = CHANNEL_FLAGS | MessageFlags.Ephemeral;
// Whether a reply is ephemeral is fixed by the first response: no edit changes it.
const EDIT_FLAGS = MessageFlags.SuppressEmbeds | MessageFlags.IsComponentsV2;

const within = (allowed: number) => (message: MessageBody, context: z.RefinementCtx) => {
  if ((message.flags ?? 0) & ~allowed)
    context.addIssue({
      code: "custom",
      path: ["flags"],
      message: "Value of field has flags that cannot be set here.",
      params: { code: "BITFIELD_INVALID" },
    });
  rules(message, context);
};

export const channelMessage = body
  .extend({
    message_reference: z
      .strictObject({
        type: z.literal(0).nullish(),
        message_id: snowflake,
        channel_id: snowflake.nullish(),
        guild_id: snowflake.nullish(),
        fail_if_not_exists: flag,
      })
      .nullish(),
  })
  .superRefine(within(CHANNEL_FLAGS));

export type ChannelMessageBody = z.output<typeof channelMessage>;

export const messageEdit = body.superRefine(within(EDIT_FLAGS));

export const interactionMessage = body.superRefine(within(INTERACTION_FLAGS));

/** A form to fill in; only texts with a label are spoken here. */
const modal = z.strictObject({
  custom_id: z.string().min(1).max(100),
  title: z.string().min(1).max(45),
  components: z
    .array(
      z.strictObject({
        type: z.literal(18),
        label: z.string().min(1).max(45),
        description: z.string().min(1).max(100).nullish(),
        component: z.strictObject({
          type: z.literal(4),
          custom_id: z.string().min(1).max(100),
          style: z.literal([1, 2]),
          value: z.string().max(4000).nullish(),
          min_length: z.int().min(0).max(4000).nullish(),
          max_length: z.int().min(1).max(4000).nullish(),
          required: flag,
          placeholder: z.string().max(100).nullish(),
        }),
      }),
    )
    .min(1)
    .max(5),
});

const suggestion = z.strictObject({ name: z.string().min(1).max(100), value: z.string().max(100) });

/** What an interaction is answered with. */
export const callback = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal(4), data: interactionMessage }),
  z.strictObject({ type: z.literal(5), data: z.strictObject({ flags: z.int().nullish() }).nullish() }),
  z.strictObject({ type: z.literal(6), data: z.null().optional() }),
  z.strictObject({ type: z.literal(7), data: body.superRefine(within(EDIT_FLAGS)) }),
  z.strictObject({ type: z.literal(8), data: z.strictObject({ choices: z.array(suggestion).max(25) }) }),
  z.strictObject({ type: z.literal(9), data: modal }),
]);

export type ModalBody = z.output<typeof modal>;
export type Suggestion = z.output<typeof suggestion>;

export type CallbackBody = z.output<typeof callback>;
