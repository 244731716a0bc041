import { PermissionFlagsBits } from "discord-api-types/v10";
import type { GuildInput, PersonInput } from "../discord/world.ts";

// Who and what the demo's Discord has. A channel's name is its address on the page, so no two servers share one.

interface Server extends GuildInput {
  channels: (GuildInput["channels"][number] & { about: string })[];
}

export const people: PersonInput[] = [
  { name: "ada", displayName: "Ada" },
  { name: "ben", displayName: "Ben" },
  { name: "cyd", displayName: "Cyd" },
  { name: "mia", displayName: "Mia", moderator: true },
];

export const servers: Server[] = [
  {
    name: "Wis Lab",
    channels: [
      { name: "general", about: "Where WisBot may post." },
      {
        name: "quiet",
        denied: PermissionFlagsBits.SendMessages,
        about: "WisBot may not post here: cards arrive as direct messages.",
      },
    ],
  },
  { name: "Night Owls", channels: [{ name: "lounge", about: "Another server, with the same people." }] },
];

/** What the stand-in for Discord calls everybody's direct messages with the bot. */
export const DIRECT = { name: "dm", about: "Your direct messages with WisBot." };

const channels = servers.flatMap(({ name: server, channels }) =>
  channels.map((channel) => ({ ...channel, server })),
);

export const channelNames = [...channels, DIRECT].map(({ name }) => name);

/** What stands above a channel's messages. */
export function headingOf(name: string): { title: string; about: string } {
  const channel = channels.find((one) => one.name === name);
  if (!channel) return { title: "@WisBot", about: DIRECT.about };
  return { title: `#${name}`, about: `in ${channel.server}. ${channel.about}` };
}

/** As people write it: `#general`. */
export const titleOf = (name: string) => (name === DIRECT.name ? "direct messages" : `#${name}`);

export const nameOf = (person: string) => people.find(({ name }) => name === person)?.displayName ?? person;

/** Where somebody is, and what is written into the message line for them. */
export interface Place {
  as: string;
  channel: string;
  line?: string;
  /** The name of a sample to go along. */
  file?: string;
}

export const addressOf = (place: Place) => `/?${new URLSearchParams({ ...place })}`;
