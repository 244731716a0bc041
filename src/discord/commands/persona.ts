import { ApplicationCommandOptionType } from "discord.js";
import { WisError } from "../../errors.ts";
import type { Llm, Where } from "../../llm/llm.ts";
import type { PersonaRow } from "../../llm/ports.ts";
import type { Member } from "../../members/member.ts";
import { FORM_FIELD } from "../form.ts";
import { LONGEST_PERSONA, type PersonaScope, personaView } from "../persona-view.ts";
import type { Body } from "../respond.ts";
import type { Asking, Button, Command, Modal } from "./command.ts";

export const persona: Command = {
  name: "persona",
  description: "Who the AI is here: its instructions, for moderators to change",
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: "for",
      description: "What to change: this channel, or the whole server",
      choices: [
        { name: "this channel", value: "channel" },
        { name: "this server", value: "server" },
      ],
    },
  ],
  help: () => "who the AI is here",

  async run({ llm }, { interaction, where, member, reply }) {
    const scope = (interaction.options.getString("for") ?? "channel") as PersonaScope;
    await reply.defer({ ephemeral: true });
    await reply.show(await viewOf(llm, where, member, scope));
  },
};

/** Of what a version button may name: as far back as the store is asked. */
const OLDEST = 100;
/** Shown with a button each, but for the one that holds. */
const SHOWN = 5;

async function viewOf(
  llm: Llm,
  where: Where,
  member: Member,
  scope: PersonaScope,
  changed?: string,
): Promise<Body> {
  const [current, versions] = await Promise.all([
    llm.persona(where),
    llm.personaVersions(where, scope, SHOWN),
  ]);
  const mayChange = member.moderator && where.guildId !== null;
  return personaView({ where, current, versions, scope, mayChange, changed });
}

const editPersona: Button = {
  kind: "persona:edit",
  async run({ llm }, { where, reply }, argument) {
    const scope = scopeIn(argument);
    // A form is the first response or none: one row is read before it.
    const [newest] = await llm.personaVersions(where, scope, 1);
    await reply.modal({
      id: `persona:${scope}`,
      title: `Who the AI is in this ${scope}`,
      label: "Instructions",
      description: "What every answer goes by. Left empty, the default answers again.",
      value: newest?.text ?? "",
      maxLength: LONGEST_PERSONA,
    });
  },
};

const defaultPersona: Button = {
  kind: "persona:default",
  async run({ llm }, asking, argument) {
    await asking.reply.acknowledge();
    await change(llm, asking, scopeIn(argument), "");
  },
};

/** Its argument: `channel.3`. */
const restorePersona: Button = {
  kind: "persona:restore",
  async run({ llm }, asking, argument) {
    const [scopeName = "", number] = argument.split(".");
    const scope = scopeIn(scopeName);
    await asking.reply.acknowledge();
    const versions = await llm.personaVersions(asking.where, scope, OLDEST);
    await change(llm, asking, scope, textOf(versions, Number(number)));
  },
};

/** The form that the Edit button opens. */
export const personaForm: Modal = {
  kind: "persona",
  async run({ llm }, asked, argument) {
    await asked.reply.acknowledge();
    await change(llm, asked, scopeIn(argument), asked.interaction.fields.getTextInputValue(FORM_FIELD));
  },
};

async function change(
  llm: Llm,
  { where, member, reply }: Asking,
  scope: PersonaScope,
  text: string,
): Promise<void> {
  const version = await llm.setPersona({ by: member, where, scope, text });
  const what = text.trim() === "" ? "no persona of its own" : "a new persona";
  const changed = `Version ${version}: this ${scope} has ${what} from now on.`;
  await reply.show(await viewOf(llm, where, member, scope, changed));
}

function textOf(versions: PersonaRow[], version: number): string {
  const found = versions.find((one) => one.version === version);
  if (found) return found.text;
  throw new WisError("not_found", {
    say: `Version ${version} is no longer known.`,
    hint: "Run /wis persona again to see those that are.",
  });
}

const scopeIn = (argument: string): PersonaScope => (argument === "server" ? "server" : "channel");

export const personaButtons = [editPersona, defaultPersona, restorePersona];
