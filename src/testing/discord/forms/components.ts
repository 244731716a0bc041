import { ButtonStyle, ComponentType } from "discord-api-types/v10";
import { z } from "zod";

// Rules: https://discord.com/developers/docs/components/reference

const snowflake = z.string().regex(/^\d+$/);
const number = z.int().nullish();
const flag = z.boolean().nullish();
const customId = z.string().min(1).max(100);

/** A web address as Discord takes it: http://localhost is "not a well formed URL" to it. */
export const address = z
  .url({ protocol: /^https?$/, error: "Not a well formed URL." })
  .refine((text) => /[.:]/.test(new URL(text).hostname), "Not a well formed URL.");

const emoji = z.strictObject({ id: snowflake.nullish(), name: z.string().nullish(), animated: flag });

const button = z
  .strictObject({
    type: z.literal(ComponentType.Button),
    id: number,
    style: z.literal([1, 2, 3, 4, 5, 6]),
    label: z.string().max(80).nullish(),
    emoji: emoji.nullish(),
    custom_id: customId.nullish(),
    url: address.max(512).nullish(),
    sku_id: snowflake.nullish(),
    disabled: flag,
  })
  .superRefine((one, context) => {
    const say = (key: string, code: string, message: string) =>
      context.addIssue({ code: "custom", path: [key], message, params: { code } });
    const isLink = one.style === ButtonStyle.Link;
    const acts = one.style !== ButtonStyle.Premium && !isLink;
    if (acts && !one.custom_id)
      say("custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required");
    if (acts && one.url)
      say("url", "BUTTON_COMPONENT_URL_NOT_ALLOWED", "Only a link button may have an address");
    if (isLink && !one.url) say("url", "BUTTON_COMPONENT_URL_REQUIRED", "A link button needs an address");
    if (isLink && one.custom_id)
      say("custom_id", "BUTTON_COMPONENT_CUSTOM_ID_NOT_ALLOWED", "A link button has no custom id");
    if (one.style !== ButtonStyle.Premium && !one.label && !one.emoji)
      say("label", "BUTTON_COMPONENT_LABEL_REQUIRED", "A button needs a label or an emoji");
  });

const choice = z.strictObject({
  label: z.string().min(1).max(100),
  value: z.string().min(1).max(100),
  description: z.string().max(100).nullish(),
  emoji: emoji.nullish(),
  default: flag,
});

const select = z.strictObject({
  type: z.literal(ComponentType.StringSelect),
  id: number,
  custom_id: customId,
  options: z.array(choice).min(1).max(25),
  placeholder: z.string().max(150).nullish(),
  min_values: z.int().min(0).max(25).nullish(),
  max_values: z.int().min(1).max(25).nullish(),
  disabled: flag,
});

const row = z.strictObject({
  type: z.literal(ComponentType.ActionRow),
  id: number,
  components: z.union([z.array(button).min(1).max(5), z.array(select).length(1)]),
});

const text = z.strictObject({
  type: z.literal(ComponentType.TextDisplay),
  id: number,
  content: z.string().min(1).max(4000),
});
const separator = z.strictObject({
  type: z.literal(ComponentType.Separator),
  id: number,
  divider: flag,
  spacing: z.literal([1, 2]).nullish(),
});
const section = z.strictObject({
  type: z.literal(ComponentType.Section),
  id: number,
  components: z.array(text).min(1).max(3),
  accessory: button,
});
const container = z.strictObject({
  type: z.literal(ComponentType.Container),
  id: number,
  accent_color: number,
  spoiler: flag,
  components: z.array(z.discriminatedUnion("type", [row, text, separator, section])).min(1),
});

/** Rows of a plain message. */
export const rows = z.array(row).max(5);

/** Anything at the top level of a Components V2 message; media is not spoken here. */
export const layout = z
  .array(z.discriminatedUnion("type", [row, text, separator, section, container]))
  .max(40);

export type ComponentInput = z.output<typeof layout>[number];
