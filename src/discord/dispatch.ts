import { SpanKind } from "@opentelemetry/api";
import {
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  type Interaction,
  PermissionFlagsBits,
} from "discord.js";
import { toWisError, WisError } from "../errors.ts";
import type { Member } from "../members/member.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics, Outcome } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Asking, Button, Command, CommandDeps } from "./commands/command.ts";
import { isInteractionLost } from "./errors.ts";
import { errorText } from "./render.ts";
import { createReply } from "./reply.ts";

/** Takes every interaction to its command or button, times it, and says what went wrong: once, and only here. */
export interface Dispatcher {
  handle(interaction: Interaction): void;
  /** From now on the answer is that wisbot is shutting down. Resolves when every open interaction has its last edit. */
  drain(): Promise<void>;
}

export interface DispatcherDeps extends CommandDeps {
  buttons: readonly Button[];
  telemetry: Telemetry;
  metrics: Metrics;
}

type Handled = ChatInputCommandInteraction | ButtonInteraction;

interface Route {
  /** `wis upload`, `button llm:stop`: a template, never a value. */
  name: string;
  run(asking: Asking): Promise<void>;
}

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { messages, telemetry, metrics, now } = deps;
  const open = new Set<Promise<void>>();
  let draining = false;

  async function answer(interaction: Handled, { name, run }: Route, at: number): Promise<void> {
    const secondsSince = () => (now() - at) / 1000;
    const key = {
      id: interaction.id,
      token: interaction.token,
      applicationId: interaction.applicationId,
      at,
    };
    const onFirstResponse = () =>
      metrics.interactions.firstResponse.record(secondsSince(), { command: name });
    const reply = createReply({ messages, onFirstResponse }, key, interaction.channelId);
    let outcome: Outcome = "ok";
    let explained: unknown;

    function explain(error: unknown): string {
      explained = error;
      const told = toWisError(error);
      outcome = told.code;
      return errorText(told, telemetry.record(error, `answering ${name}`));
    }

    try {
      if (draining) throw shuttingDown();
      await run({ key, channelId: interaction.channelId, member: memberOf(interaction), reply, explain });
    } catch (error) {
      // Where Discord has closed the interaction nothing can be shown: the record is all there is.
      const show = error !== explained && !isInteractionLost(error);
      const content = explain(error);
      if (show) await reply.fail({ content });
      throw error;
    } finally {
      metrics.interactions.duration.record(secondsSince(), { command: name, outcome });
    }
  }

  return {
    handle(interaction) {
      if (!interaction.isChatInputCommand() && !interaction.isButton()) return;
      const at = now();
      const route = routeOf(deps, interaction);
      const attributes = {
        [attribute.command]: route.name,
        [attribute.interactionKind]: interaction.isButton() ? "button" : "command",
        [attribute.userId]: interaction.user.id,
        [attribute.channelId]: interaction.channelId,
        ...(interaction.guildId && { [attribute.guildId]: interaction.guildId }),
      };
      const running = telemetry
        .span(`discord.interaction ${route.name}`, { root: true, kind: SpanKind.SERVER, attributes }, () =>
          answer(interaction, route, at),
        )
        // Recorded above, unless it is that the last word did not reach its person.
        .catch((error) => void telemetry.record(error, `answering ${route.name}`))
        .finally(() => open.delete(running));
      open.add(running);
    },
    async drain() {
      draining = true;
      while (open.size > 0) await Promise.all(open);
    },
  };
}

function routeOf(deps: DispatcherDeps, interaction: Handled): Route {
  return (
    (interaction.isButton() ? buttonRoute(deps, interaction) : commandRoute(deps, interaction)) ?? unknown
  );
}

function commandRoute(deps: DispatcherDeps, interaction: ChatInputCommandInteraction): Route | undefined {
  const subcommand = interaction.options.getSubcommand(false);
  const command = deps.commands.find((one: Command) => one.name === subcommand);
  return (
    command && {
      name: `wis ${command.name}`,
      run: (asking) => command.run(deps, { ...asking, interaction }),
    }
  );
}

function buttonRoute(deps: DispatcherDeps, interaction: ButtonInteraction): Route | undefined {
  const end = interaction.customId.lastIndexOf(":");
  const button = deps.buttons.find(({ kind }) => kind === interaction.customId.slice(0, end));
  const argument = interaction.customId.slice(end + 1);
  return (
    button && {
      name: `button ${button.kind}`,
      run: (asking) => button.run(deps, { ...asking, interaction }, argument),
    }
  );
}

const unknown: Route = {
  name: "unknown",
  async run() {
    throw new WisError("not_found", {
      say: "This WisBot does not know that command.",
      hint: "Run /wis help to see what it can do.",
    });
  },
};

function memberOf({ user, member, memberPermissions, guildId }: Handled): Member {
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

function shuttingDown(): WisError {
  return new WisError("shutting_down", {
    say: "WisBot is shutting down.",
    hint: "Try again in a minute.",
  });
}
