import { ComponentType, ApplicationCommandOptionType as OptionType } from "discord-api-types/v10";
import type { Asked } from "./client.ts";
import { findCommand } from "./commands.ts";
import type { Suggestion } from "./forms/message.ts";
import { type Interaction, openInteraction } from "./interaction.ts";
import type { Channel, Person, World } from "./world.ts";

/** What people type before anything is sent: options that are completed for them, and forms. */
export interface FormClient {
  /** Types into an option. Gives what is offered. */
  type(typing: {
    user?: string;
    channel?: string;
    command: string;
    option: string;
    text: string;
  }): Promise<Suggestion[]>;
  /** Fills in the form that an interaction was answered with, and sends it. */
  submit(filled: { asked: Asked; text: string }): Asked;
}

export interface FormClientDeps {
  world: World;
  personOf(name: string | undefined): Person;
  channelOf(name: string | undefined, person: Person | undefined): Channel;
  send(interaction: Interaction, data: object): Asked;
}

export function createFormClient({ world, personOf, channelOf, send }: FormClientDeps): FormClient {
  return {
    async type({ user, channel: place, command: path, option: name, text }) {
      const person = personOf(user);
      const channel = channelOf(place, person);
      const { command, subcommand, options } = findCommand(world, path, channel.guildId);
      if (!options.some((option) => option.name === name && option.autocomplete))
        throw new Error(`/${path} offers nothing for ${name}.`);
      const typed = { name, type: OptionType.String, value: text, focused: true };
      const interaction = openInteraction(world, { type: 4, person, channel, own: false, command: path });
      const { id, body } = command;
      const inner = subcommand
        ? [{ name: subcommand, type: OptionType.Subcommand, options: [typed] }]
        : [typed];
      send(interaction, { id, name: body.name, type: 1, options: inner });
      return world.changes.until("choices", () => interaction.choices);
    },

    submit({ asked, text }) {
      const trigger = world.interactions.get(asked.token);
      const form = trigger?.form;
      if (!trigger || !form) throw new Error("There is no form to fill in.");
      const { person, channel, source } = trigger;
      const own = trigger.owners["1"] !== undefined;
      const components = form.components.map(({ component }, index) => ({
        type: ComponentType.Label,
        id: 2 * index + 1,
        component: {
          type: ComponentType.TextInput,
          id: 2 * index + 2,
          custom_id: component.custom_id,
          value: text,
        },
      }));
      if (form.components.some(({ component }) => text.length > (component.max_length ?? 4000)))
        throw new Error("Discord would not let this be sent: the text is too long.");
      const interaction = openInteraction(world, { type: 5, person, channel, own, source, trigger });
      return send(interaction, { custom_id: form.custom_id, components });
    },
  };
}
