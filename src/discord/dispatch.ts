import { SpanKind } from "@opentelemetry/api";
import {
  type AutocompleteInteraction,
  type Interaction,
  InteractionContextType,
  PermissionFlagsBits,
} from "discord.js";
import { within } from "../lib/within.ts";
import { shuttingDown } from "../llm/endings.ts";
import type { Where } from "../llm/llm.ts";
import type { Member } from "../members/member.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { isInteractionLost } from "./errors.ts";
import { createExplainer } from "./explainer.ts";
import { truncate } from "./render.ts";
import { createReply } from "./reply.ts";
import type { Choice, InteractionKey } from "./respond.ts";
import {
  type Completion,
  completionOf,
  type Handled,
  isHandled,
  kindOf,
  type Route,
  type RouteDeps,
  routeOf,
} from "./routes.ts";

/** Takes every interaction to what answers it, times it, and says what went wrong: once, and only here. */
export interface Dispatcher {
  handle(interaction: Interaction): void;
  /** From now on the answer is that wisbot is shutting down. Resolves when every open interaction has its last edit. */
  drain(): Promise<void>;
}

export interface DispatcherDeps extends RouteDeps {
  telemetry: Telemetry;
  metrics: Metrics;
}

// https://discord.com/developers/docs/interactions/application-commands#autocomplete
const MOST_CHOICES = 25;
const LONGEST_CHOICE = 100;
/** Discord waits 3 s for choices. */
const CHOICES_WITHIN_MS = 2_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { messages, telemetry, metrics, now } = deps;
  const open = new Set<Promise<void>>();
  let draining = false;

  async function answer(interaction: Handled, { name, run }: Route, at: number): Promise<void> {
    const secondsSince = () => (now() - at) / 1000;
    const key = keyOf(interaction, at);
    const where = whereOf(interaction);
    const { channelId } = where;
    const onFirstResponse = () =>
      metrics.interactions.firstResponse.record(secondsSince(), { command: name });
    const reply = createReply({ messages, onFirstResponse }, key, channelId);
    const explainer = createExplainer(telemetry, `answering ${name}`);
    const { explain } = explainer;
    try {
      if (draining) throw shuttingDown();
      await run({ key, channelId, where, member: memberOf(interaction), reply, explain });
    } catch (error) {
      // Where Discord has closed the interaction nothing can be shown: the record is all there is.
      const show = !explainer.hasExplained(error) && !isInteractionLost(error);
      const content = explain(error);
      if (show) await reply.fail({ content });
      throw error;
    } finally {
      metrics.interactions.duration.record(secondsSince(), { command: name, outcome: explainer.outcome });
    }
  }

  /** A list of choices has no room for what went wrong: it is recorded, and there are none. */
  async function suggest(
    interaction: AutocompleteInteraction,
    completion: Completion,
    at: number,
  ): Promise<void> {
    const asked = { interaction, member: memberOf(interaction), where: whereOf(interaction) };
    const choices = draining ? Promise.resolve([]) : completion.complete(asked);
    const found = choices.catch((error: unknown) => {
      telemetry.record(error, `answering ${completion.name}`);
      return [];
    });
    await messages.suggest(keyOf(interaction, at), choicesOf(await within(CHOICES_WITHIN_MS, found)));
  }

  /** A span of its own around what is done for an interaction, and its last record. */
  function follow(interaction: Handled | AutocompleteInteraction, name: string, work: () => Promise<void>) {
    const attributes = {
      [attribute.command]: name,
      [attribute.interactionKind]: kindOf(interaction),
      [attribute.userId]: interaction.user.id,
      ...(interaction.channelId && { [attribute.channelId]: interaction.channelId }),
      ...(interaction.guildId && { [attribute.guildId]: interaction.guildId }),
    };
    const running = telemetry
      .span(`discord.interaction ${name}`, { root: true, kind: SpanKind.SERVER, attributes }, work)
      // Recorded above, unless it is that the last word did not reach its person.
      .catch((error) => void telemetry.record(error, `answering ${name}`))
      .finally(() => open.delete(running));
    open.add(running);
  }

  return {
    handle(interaction) {
      const at = now();
      if (interaction.isAutocomplete()) {
        const completion = completionOf(deps, interaction);
        follow(interaction, completion.name, () => suggest(interaction, completion, at));
      }
      if (!isHandled(interaction)) return;
      const route = routeOf(deps, interaction);
      follow(interaction, route.name, () => answer(interaction, route, at));
    },
    async drain() {
      draining = true;
      while (open.size > 0) await Promise.all(open);
    },
  };
}

function keyOf(interaction: Handled | AutocompleteInteraction, at: number): InteractionKey {
  const { id, token, applicationId } = interaction;
  return { id, token, applicationId, at, alone: isAlone(interaction) };
}

/** Asked by somebody who has installed wisbot for themselves, where the bot is not. */
function isAlone({ guildId, context, client }: Handled | AutocompleteInteraction): boolean {
  if (guildId !== null) return !client.guilds.cache.has(guildId);
  return context === InteractionContextType.PrivateChannel;
}

/** Discord names the channel of everything that it lets people do here. */
function whereOf({ guildId, channelId, channel }: Handled | AutocompleteInteraction): Where {
  const parentChannelId = channel?.isThread() ? (channel.parentId ?? undefined) : undefined;
  return { guildId, channelId: channelId ?? "", parentChannelId };
}

function choicesOf(found: Choice[] = []): Choice[] {
  return found
    .filter(({ value }) => value.length <= LONGEST_CHOICE)
    .slice(0, MOST_CHOICES)
    .map(({ name, value }) => ({ name: truncate(name, LONGEST_CHOICE), value }));
}

function memberOf({ user, member, memberPermissions, guildId }: Handled | AutocompleteInteraction): Member {
  const nickname = member && "displayName" in member ? member.displayName : member?.nick;
  const roles = member?.roles ?? [];
  const roleIds = Array.isArray(roles) ? roles : [...roles.cache.keys()];
  return {
    id: user.id,
    name: nickname ?? user.displayName,
    asker: { guildId, roleIds },
    moderator: memberPermissions?.has(PermissionFlagsBits.ManageMessages) ?? false,
  };
}
