import { ApplicationCommandOptionType as OptionType } from "discord-api-types/v10";
import { z } from "zod";

// https://discord.com/developers/docs/interactions/application-commands

const name = z.string().regex(/^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u, "Command name is invalid");
const description = z.string().min(1).max(100);
const locales = z.record(z.string(), z.string()).nullish();
const flag = z.boolean().nullish();

/** What a message's or a person's menu shows. */
const menuName = z.string().min(1).max(32);
const named = { name, name_localizations: locales, description, description_localizations: locales };

const choice = z.strictObject({
  name: z.string().min(1).max(100),
  name_localizations: locales,
  value: z.union([z.string().max(100), z.number()]),
});

const valueOption = z.strictObject({
  ...named,
  type: z.literal([
    OptionType.String,
    OptionType.Integer,
    OptionType.Boolean,
    OptionType.User,
    OptionType.Channel,
    OptionType.Role,
    OptionType.Mentionable,
    OptionType.Number,
    OptionType.Attachment,
  ]),
  required: flag,
  choices: z.array(choice).max(25).nullish(),
  channel_types: z.array(z.int()).nullish(),
  min_value: z.number().nullish(),
  max_value: z.number().nullish(),
  min_length: z.int().min(0).max(6000).nullish(),
  max_length: z.int().min(1).max(6000).nullish(),
  autocomplete: flag,
});

/** Discord refuses an optional option before a required one. */
const requiredFirst = z
  .array(valueOption)
  .max(25)
  .refine(
    (options) =>
      options.every(
        (option, index) => !option.required || options.slice(0, index).every((one) => one.required),
      ),
    "Required options must be placed before non-required options",
  );

const subcommand = z.strictObject({
  ...named,
  type: z.literal(OptionType.Subcommand),
  required: flag,
  options: requiredFirst.nullish(),
});

const group = z.strictObject({
  ...named,
  type: z.literal(OptionType.SubcommandGroup),
  required: flag,
  options: z.array(subcommand).max(25).nullish(),
});

const options = z.union([requiredFirst, z.array(z.discriminatedUnion("type", [subcommand, group])).max(25)]);

const settings = {
  options: options.nullish(),
  default_member_permissions: z.string().regex(/^\d+$/).nullish(),
  dm_permission: flag,
  contexts: z
    .array(z.literal([0, 1, 2]))
    .min(1)
    .nullish(),
  integration_types: z
    .array(z.literal([0, 1]))
    .min(1)
    .nullish(),
  nsfw: flag,
};

const command = z.strictObject({
  id: z.string().nullish(),
  type: z.literal([1, 2, 3]).nullish(),
  ...named,
  name: menuName,
  description: z.string().max(100).nullish(),
  ...settings,
});

/** One that is typed has a description; one in a menu has a name and nothing else to show. */
export const commandForm = command.superRefine((one, context) => {
  const say = (path: string, message: string) =>
    context.addIssue({
      code: "custom",
      path: [path],
      message,
      params: { code: "APPLICATION_COMMAND_INVALID" },
    });
  const isTyped = (one.type ?? 1) === 1;
  if (isTyped && !name.safeParse(one.name).success) say("name", "Command name is invalid");
  if (isTyped && !one.description) say("description", "This field is required");
  if (!isTyped && (one.description || one.options?.length)) say("description", "Menu commands have none");
});

export const commandEdit = command.partial();

export const commandSet = z.array(commandForm).max(100);

export type CommandBody = z.output<typeof commandForm>;
export type CommandEdit = z.output<typeof commandEdit>;
export type CommandOption = z.output<typeof valueOption>;
