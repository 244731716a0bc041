import { z } from "zod";
import { refused } from "../error.ts";
import type { GatewayServer } from "../gateway.ts";
import {
  applicationPayload,
  channelPayload,
  guildPayload,
  memberPayload,
  rolePayload,
  selfPayload,
  userPayload,
} from "../payloads.ts";
import { directChannel, type Guild, type World } from "../world.ts";
import { type Call, ok, type Route, route, routeWith } from "./route.ts";

export interface IdentityRouteDeps {
  world: World;
  gateway: GatewayServer;
  privilegedIntents: number;
}

const recipient = z.strictObject({ recipient_id: z.string().regex(/^\d+$/) });

/** Who the bot is, where it is, and with whom. */
export function identityRoutes({ world, gateway, privilegedIntents }: IdentityRouteDeps): Route[] {
  function guildOf({ params }: Call<unknown>): Guild {
    const guild = world.guilds.get(params.guild_id ?? "");
    if (!guild) throw refused.unknownGuild();
    if (!guild.hasBot) throw refused.missingAccess();
    return guild;
  }

  const application = () => ok(applicationPayload(world, privilegedIntents));

  return [
    route("GET /gateway", () => ok({ url: gateway.information().url }), { open: true }),
    route("GET /gateway/bot", () => ok(gateway.information())),
    route("GET /users/@me", () => ok(selfPayload(world.bot))),
    route("GET /applications/@me", application),
    route("GET /oauth2/applications/@me", application),
    route("GET /users/@me/guilds", () => {
      const joined = [...world.guilds.values()].filter(({ hasBot }) => hasBot);
      return ok(joined.map(joinedPayload));
    }),
    route("GET /users/{user_id}", ({ params }) => {
      const person = world.people.get(params.user_id ?? "");
      if (!person) throw refused.unknownUser();
      return ok(userPayload(person));
    }),
    // Opening the channel always works: whether the person takes messages shows when one is sent.
    routeWith("POST /users/@me/channels", recipient, ({ body }) => {
      if (!world.people.has(body.recipient_id)) throw refused.unknownUser();
      return ok(channelPayload(world, directChannel(world, body.recipient_id)));
    }),
    route("GET /guilds/{guild_id}", (call) => ok(guildPayload(guildOf(call)))),
    route("GET /guilds/{guild_id}/roles", (call) => ok(guildOf(call).roles.map(rolePayload))),
    route("GET /guilds/{guild_id}/channels", (call) => {
      const { id } = guildOf(call);
      const channels = [...world.channels.values()].filter(({ guildId }) => guildId === id);
      return ok(channels.map((channel) => channelPayload(world, channel)));
    }),
    route("GET /guilds/{guild_id}/members/{user_id}", (call) => {
      const person = world.people.get(call.params.user_id ?? "");
      const roles = guildOf(call).members.get(call.params.user_id ?? "");
      if (!person || !roles) throw refused.unknownMember();
      return ok(memberPayload(person, roles));
    }),
  ];
}

function joinedPayload({ id, name }: Guild) {
  return { id, name, icon: null, banner: null, owner: false, permissions: "0", features: [] };
}
