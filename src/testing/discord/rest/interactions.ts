import { MessageFlags } from "discord-api-types/v10";
import { callback, interactionMessage, messageEdit } from "../forms/message.ts";
import {
  followUp,
  type Interaction,
  type InteractionDeps,
  messageOf,
  openToken,
  respond,
} from "../interaction.ts";
import { isEphemeral } from "../message.ts";
import { messagePayload } from "../payloads.ts";
import { type Call, noContent, ok, type Route, route, routeWith } from "./route.ts";

const WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}";

/** First responses, and everything that the interaction token is good for afterwards. */
export function interactionRoutes(deps: InteractionDeps): Route[] {
  const { world, messages } = deps;
  const open = { open: true };

  const opened = ({ params }: Call<unknown>) =>
    openToken(world, params.webhook_id ?? "", params.webhook_token ?? "");
  const named = (call: Call<unknown>) => messageOf(opened(call), call.params.message_id ?? "@original");

  const byName = ["@original", "{message_id}"].flatMap((name) => [
    route(`GET ${WEBHOOK}/messages/${name}`, (call) => ok(messagePayload(world, named(call))), open),
    routeWith(
      `PATCH ${WEBHOOK}/messages/${name}`,
      messageEdit,
      (call) => {
        const message = named(call);
        messages.edit(message, call.body, call.files);
        return ok(messagePayload(world, message));
      },
      open,
    ),
    route(
      `DELETE ${WEBHOOK}/messages/${name}`,
      (call) => {
        messages.delete(named(call));
        return noContent;
      },
      open,
    ),
  ]);

  return [
    routeWith(
      "POST /interactions/{interaction_id}/{interaction_token}/callback",
      callback,
      ({ params, query, body, files, arrivedAt }) => {
        const { interaction_id: id = "", interaction_token: token = "" } = params;
        const interaction = respond(deps, { id, token, body, files, arrivedAt });
        return query.get("with_response") === "true" ? ok(callbackPayload(deps, interaction)) : noContent;
      },
      open,
    ),
    routeWith(
      `POST ${WEBHOOK}`,
      interactionMessage,
      (call) => {
        const message = followUp(deps, opened(call), call.body, call.files);
        return ok(messagePayload(world, message));
      },
      open,
    ),
    ...byName,
  ];
}

function callbackPayload({ world }: InteractionDeps, { id, type, response, original }: Interaction) {
  const interaction = {
    id,
    type,
    ...(original && {
      response_message_id: original.id,
      response_message_loading: (original.flags & MessageFlags.Loading) !== 0,
      response_message_ephemeral: isEphemeral(original),
    }),
  };
  // "Only present if type is either CHANNEL_MESSAGE_WITH_SOURCE or UPDATE_MESSAGE."
  if (!original || (response?.type !== 4 && response?.type !== 7)) return { interaction };
  return { interaction, resource: { type: response?.type, message: messagePayload(world, original) } };
}
