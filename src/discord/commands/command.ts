import type {
  APIApplicationCommandBasicOption,
  AutocompleteInteraction,
  ButtonInteraction,
  ChatInputCommandInteraction,
  MessageContextMenuCommandInteraction,
  ModalSubmitInteraction,
} from "discord.js";
import type { Config } from "../../config/schema.ts";
import type { Files } from "../../files/files.ts";
import type { Now } from "../../lib/clock.ts";
import type { Llm, Where } from "../../llm/llm.ts";
import type { FileLimits, Limits } from "../../members/limits.ts";
import type { Member } from "../../members/member.ts";
import type { Telemetry } from "../../telemetry/ports.ts";
import type { EditBudget } from "../edit-budget.ts";
import type { Posts } from "../posts.ts";
import type { Reply } from "../reply.ts";
import type { Choice, InteractionKey, Messages } from "../respond.ts";
import type { Timers } from "../timers.ts";

/** What commands and buttons work with; each takes the few that it needs. */
export interface CommandDeps {
  config: Pick<Config, "discord" | "llm">;
  /** Without a trailing slash. */
  publicUrl: string;
  files: Files;
  llm: Llm;
  limits: Limits;
  messages: Messages;
  budget: EditBudget;
  posts: Posts;
  /** Ends what is still coming in when wisbot ends. Its reason is a WisError. */
  closing: AbortSignal;
  timers: Timers;
  now: Now;
  telemetry: Pick<Telemetry, "traceId">;
  /** For help. */
  commandGroups: readonly CommandGroup[];
}

/** Who asked, where, and how it is answered, whatever was asked. */
export interface Asking {
  key: InteractionKey;
  channelId: string;
  where: Where;
  member: Member;
  reply: Reply;
  /**
   * Records an error, once, and gives what the person is told of it, error id included. For who shows it in their own
   * way: thrown on, it is not shown again.
   */
  explain(error: unknown): string;
}

/** One interaction, as a command, a button or a form sees it. */
export interface Asked<I> extends Asking {
  interaction: I;
}

/** The limits of one asker. */
export interface AskerLimits extends Pick<Limits, "maxRequestsPerMinute"> {
  files: FileLimits;
}

/**
 * A subcommand of /wis. What `run` throws is recorded and shown by the dispatcher. Discord voids an interaction that
 * is not answered within 3 s: `run` answers before any work that can wait.
 */
export interface Command {
  name: string;
  /** At most 100 characters. */
  description: string;
  options?: APIApplicationCommandBasicOption[];
  /** What help says of it in a few words, with the limits that apply to the asker. */
  help(limits: AskerLimits): string;
  run(deps: CommandDeps, asked: Asked<ChatInputCommandInteraction>): Promise<void>;
  /**
   * What an option with `autocomplete` may be, for what has been typed so far. Of more than Discord takes, the first
   * ones are offered.
   */
  complete?(deps: CommandDeps, asked: Completing): Promise<Choice[]>;
}

/** Commands that help shows together. */
export interface CommandGroup {
  title: string;
  commands: readonly Command[];
}

/** Somebody is typing an option. */
export interface Completing {
  interaction: AutocompleteInteraction;
  member: Member;
  where: Where;
}

/** A button. Its custom_id is `kind:argument`, at most 100 characters. */
export interface Button {
  kind: string;
  run(deps: CommandDeps, asked: Asked<ButtonInteraction>, argument: string): Promise<void>;
}

/** A form that somebody has filled in. Its custom_id is `kind:argument`, at most 100 characters. */
export interface Modal {
  kind: string;
  run(deps: CommandDeps, asked: Asked<ModalSubmitInteraction>, argument: string): Promise<void>;
}

/** An entry of a message's menu, under Apps. Its name is what people read there: at most 32 characters. */
export interface MessageCommand {
  name: string;
  run(deps: CommandDeps, asked: Asked<MessageContextMenuCommandInteraction>): Promise<void>;
}
