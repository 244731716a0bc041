import type {
  AutocompleteInteraction,
  ButtonInteraction,
  ChatInputCommandInteraction,
  Interaction,
  MessageContextMenuCommandInteraction,
  ModalSubmitInteraction,
} from "discord.js";
import { WisError } from "../errors.ts";
import type {
  Asking,
  Button,
  Command,
  CommandDeps,
  Completing,
  MessageCommand,
  Modal,
} from "./commands/command.ts";
import type { Choice } from "./respond.ts";

// Which interaction goes to whom.

export interface RouteDeps extends CommandDeps {
  commands: readonly Command[];
  buttons: readonly Button[];
  modals: readonly Modal[];
  messageCommands: readonly MessageCommand[];
}

/** Interactions that are answered with messages. */
export type Handled =
  | ChatInputCommandInteraction
  | ButtonInteraction
  | ModalSubmitInteraction
  | MessageContextMenuCommandInteraction;

export interface Route {
  /** `wis upload`, `button llm:stop`, `modal persona`, `message Ask`: a template, never a value. */
  name: string;
  run(asking: Asking): Promise<void>;
}

/** Where the choices for an option come from. */
export interface Completion {
  /** `autocomplete wis model`. */
  name: string;
  complete(asked: Completing): Promise<Choice[]>;
}

export function isHandled(interaction: Interaction): interaction is Handled {
  return (
    interaction.isChatInputCommand() ||
    interaction.isButton() ||
    interaction.isModalSubmit() ||
    interaction.isMessageContextMenuCommand()
  );
}

export function kindOf(interaction: Handled | AutocompleteInteraction): string {
  if (interaction.isAutocomplete()) return "autocomplete";
  if (interaction.isButton()) return "button";
  if (interaction.isModalSubmit()) return "modal";
  return interaction.isChatInputCommand() ? "command" : "message";
}

/** Whoever answers it; a refusal where nobody does. */
export function routeOf(deps: RouteDeps, interaction: Handled): Route {
  return known(deps, interaction) ?? unknown;
}

export function completionOf(deps: RouteDeps, interaction: AutocompleteInteraction): Completion {
  const command = commandOf(deps, interaction);
  if (!command?.complete) return { name: "autocomplete unknown", complete: async () => [] };
  const complete = command.complete.bind(command);
  return { name: `autocomplete wis ${command.name}`, complete: (asked) => complete(deps, asked) };
}

function known(deps: RouteDeps, interaction: Handled): Route | undefined {
  if (interaction.isButton()) return byCustomId("button", deps, deps.buttons, interaction);
  if (interaction.isModalSubmit()) return byCustomId("modal", deps, deps.modals, interaction);
  if (interaction.isMessageContextMenuCommand()) return messageRoute(deps, interaction);
  return commandRoute(deps, interaction);
}

function commandRoute(deps: RouteDeps, interaction: ChatInputCommandInteraction): Route | undefined {
  const command = commandOf(deps, interaction);
  if (!command) return undefined;
  return { name: `wis ${command.name}`, run: (asking) => command.run(deps, { ...asking, interaction }) };
}

function commandOf(
  { commands }: RouteDeps,
  { options }: ChatInputCommandInteraction | AutocompleteInteraction,
): Command | undefined {
  const subcommand = options.getSubcommand(false);
  return commands.find(({ name }) => name === subcommand);
}

function messageRoute(deps: RouteDeps, interaction: MessageContextMenuCommandInteraction): Route | undefined {
  const command = deps.messageCommands.find(({ name }) => name === interaction.commandName);
  if (!command) return undefined;
  return { name: `message ${command.name}`, run: (asking) => command.run(deps, { ...asking, interaction }) };
}

/** A button or a form, by what stands before the last colon of its custom_id. */
function byCustomId<I extends ButtonInteraction | ModalSubmitInteraction>(
  word: string,
  deps: RouteDeps,
  all: readonly {
    kind: string;
    run(deps: CommandDeps, asked: Asking & { interaction: I }, argument: string): Promise<void>;
  }[],
  interaction: I,
): Route | undefined {
  const end = interaction.customId.lastIndexOf(":");
  const found = all.find(({ kind }) => kind === interaction.customId.slice(0, end));
  const argument = interaction.customId.slice(end + 1);
  if (!found) return undefined;
  return {
    name: `${word} ${found.kind}`,
    run: (asking) => found.run(deps, { ...asking, interaction }, argument),
  };
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
