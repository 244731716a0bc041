import { MessageFlags, PermissionFlagsBits as Permission } from "discord-api-types/v10";
import { z } from "zod";
import { refused } from "../error.ts";
import type { GatewayServer } from "../gateway.ts";
import type { InteractionDeps } from "../interaction.ts";
import { isEphemeral } from "../message.ts";
import { channelPayload } from "../payloads.ts";
import { permissionsIn } from "../world.ts";
import { ok, type Route, routeWith } from "./route.ts";

export interface ThreadRouteDeps extends InteractionDeps {
  gateway: Pick<GatewayServer, "dispatch">;
}

const start = z.strictObject({
  name: z.string().min(1).max(100),
  auto_archive_duration: z.literal([60, 1440, 4320, 10_080]).nullish(),
  rate_limit_per_user: z.int().nullish(),
});

/** Threads that the bot opens under a message: https://discord.com/developers/docs/resources/channel#start-thread-from-message */
export function threadRoutes({ world, messages, gateway }: ThreadRouteDeps): Route[] {
  return [
    routeWith("POST /channels/{channel_id}/messages/{message_id}/threads", start, ({ params, body }) => {
      const parent = world.channels.get(params.channel_id ?? "");
      if (!parent) throw refused.unknownChannel();
      const granted = permissionsIn(world, parent, world.bot.id);
      if (!(granted & Permission.ViewChannel)) throw refused.missingAccess();
      if (parent.guildId === null || parent.thread) throw refused.wrongChannel();
      if (!(granted & Permission.CreatePublicThreads)) throw refused.missingPermissions();
      const message = world.messages.get(params.message_id ?? "");
      if (!message || message.deleted || isEphemeral(message) || message.channelId !== parent.id)
        throw refused.unknownMessage();
      if (world.channels.has(message.id)) throw refused.hasThread();
      const thread = {
        ...parent,
        id: message.id,
        name: body.name,
        thread: { parentId: parent.id, ownerId: world.bot.id, archived: false },
      };
      world.channels.set(thread.id, thread);
      gateway.dispatch("THREAD_CREATE", () => ({ ...channelPayload(world, thread), newly_created: true }), 1);
      messages.flag(message, MessageFlags.HasThread);
      return ok(channelPayload(world, thread), 201);
    }),
  ];
}
