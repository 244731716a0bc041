import { PermissionFlagsBits } from "discord-api-types/v10";
import type { MessageBody } from "./forms/message.ts";
import { type Channel, permissionsIn, type World } from "./world.ts";

export interface Mentions {
  everyone: boolean;
  /** Person ids. */
  people: string[];
  roles: string[];
}

type Allowed = NonNullable<MessageBody["allowed_mentions"]>;

// Without allowed_mentions Discord parses everything, on an edit as well:
// https://discord.com/developers/docs/resources/message#allowed-mentions-object
const EVERYTHING: Allowed = { parse: ["users", "roles", "everyone"], replied_user: true };

/** Whom a text mentions so that they are notified, as `allowed_mentions` and the author's permissions let it. */
export function mentionsIn(
  world: World,
  { channel, authorId, content }: { channel: Channel; authorId: string; content: string },
  allowed: Allowed = EVERYTHING,
): Mentions {
  const { parse, users, roles } = allowed;
  const guild = channel.guildId === null ? undefined : world.guilds.get(channel.guildId);
  const mayAll = (permissionsIn(world, channel, authorId) & PermissionFlagsBits.MentionEveryone) !== 0n;
  const named = (pattern: RegExp) => [
    ...new Set([...content.matchAll(pattern)].flatMap(([, id]) => id ?? [])),
  ];
  const mentionable = (id: string) =>
    guild?.roles.some((role) => role.id === id && (role.mentionable || mayAll)) ?? false;
  return {
    everyone: (parse?.includes("everyone") ?? false) && mayAll && /@(everyone|here)\b/.test(content),
    people: named(/<@!?(\d+)>/g).filter((id) => parse?.includes("users") || users?.includes(id)),
    roles: named(/<@&(\d+)>/g).filter(
      (id) => (parse?.includes("roles") || roles?.includes(id)) && mentionable(id),
    ),
  };
}

/** As they stand in a message: `@everyone`, `<@1>`, `<@&2>`. */
export function asPings({ everyone, people, roles }: Mentions): string[] {
  return [
    ...(everyone ? ["@everyone"] : []),
    ...people.map((id) => `<@${id}>`),
    ...roles.map((id) => `<@&${id}>`),
  ];
}
