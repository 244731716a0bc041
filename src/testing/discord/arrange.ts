import type { GatewayServer } from "./gateway.ts";
import { channelPayload } from "./payloads.ts";
import {
  byName,
  type Channel,
  directChannel,
  type Guild,
  type Person,
  type Role,
  type World,
} from "./world.ts";

/** Who and what is there, and what a test changes about it. Everything goes by name or id. */
export interface Arrangement {
  /** Everybody, the bot included. */
  readonly people: readonly Person[];
  user(name: string): Person;
  /** Default: the first one. */
  guild(name?: string): Guild;
  channel(name: string): Channel;
  /** The direct message channel of a person. */
  directMessage(user: string): Channel;
  /** A role of a guild, by default of the first one. */
  role(name: string, guild?: string): Role;
  /** Sets what the bot may not do in a channel, as permission bits. */
  deny(channel: string, permissions: bigint): void;
  /** Removes a channel, with all that is in it. */
  removeChannel(name: string): void;
  archive(thread: string): void;
  /** Ends the token of an interaction before its time. */
  expire(asked: { token: string }): void;
  /** Opens or closes somebody's direct messages to the bot. */
  setDms(user: string, open: boolean): void;
  /** Gives somebody these roles of a guild, by default of the first one, and takes the others. */
  setRoles(user: string, roles: string[], guild?: string): void;
  /** How large a file a person may post everywhere, or everybody in a guild, in bytes. */
  setFileLimit(whose: string, bytes: number): void;
}

export interface ArrangementDeps {
  world: World;
  gateway: Pick<GatewayServer, "dispatch">;
}

export function createArrangement({ world, gateway }: ArrangementDeps): Arrangement {
  const people = [...world.people.values()];
  const user = (name: string) => byName(people, name);
  const channel = (name: string) => byName(world.channels.values(), name);

  function guild(name?: string): Guild {
    const [first] = world.guilds.values();
    return byName(world.guilds.values(), name ?? first?.id ?? "");
  }

  const role = (name: string, place?: string) => byName(guild(place).roles, name);

  return {
    people,
    user,
    guild,
    channel,
    directMessage: (name) => directChannel(world, user(name).id),
    role,
    deny(name, permissions) {
      const place = channel(name);
      place.denied = permissions;
      gateway.dispatch("CHANNEL_UPDATE", () => channelPayload(world, place), 1);
    },
    removeChannel(name) {
      const place = channel(name);
      world.channels.delete(place.id);
      const event = place.thread ? "THREAD_DELETE" : "CHANNEL_DELETE";
      gateway.dispatch(event, () => channelPayload(world, place), 1);
    },
    archive(name) {
      const place = channel(name);
      if (!place.thread) throw new Error(`${name} is no thread.`);
      place.thread.archived = true;
      gateway.dispatch("THREAD_UPDATE", () => channelPayload(world, place), 1);
    },
    expire({ token }) {
      const interaction = world.interactions.get(token);
      if (!interaction) throw new Error("There is no such interaction.");
      interaction.expiresAt = 0;
    },
    setDms(name, open) {
      user(name).dmsOpen = open;
    },
    // A bot without the members intent hears of it with their next interaction.
    setRoles(name, roles, place) {
      const ids = roles.map((one) => role(one, place).id);
      guild(place).members.set(user(name).id, ids);
    },
    setFileLimit(name, bytes) {
      byName([...people, ...world.guilds.values()], name).fileLimit = bytes;
    },
  };
}
