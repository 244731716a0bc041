import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import type { Member } from "../members/member.ts";
import type { ChoiceScope, Llm, Where } from "./llm.ts";
import { matchesAny } from "./model-name.ts";
import type { LlmChoices, PersonaRow, PlaceRow } from "./ports.ts";

/** What was chosen for somebody who asks somewhere. */
export interface Chosen {
  model: string;
  chosenBy: ChoiceScope | "config";
  persona: PersonaRow | undefined;
  channel: PlaceRow | undefined;
  server: PlaceRow | undefined;
}

export interface SettingsDeps {
  choices: LlmChoices;
  config: { model: string; allow_models: string[] };
  now: Now;
}

/** The part of the Llm port that is about what people have chosen. */
export type Settings = Pick<
  Llm,
  "modelFor" | "place" | "setPlace" | "persona" | "setPersona" | "personaVersions"
> & {
  /** Whether the admin lets it be chosen. */
  isAllowed(model: string): boolean;
  /** Everything that an answer goes by, in one look. */
  chosen(member: Pick<Member, "id">, where: Where): Promise<Chosen>;
  /** Throws WisError llm.model_refused, forbidden. `model` as a host has it; null takes the choice back. */
  choose(input: Parameters<Llm["chooseModel"]>[0]): Promise<void>;
};

const LONGEST_PERSONA = 4_000;

/** Models, personas and switches by member, channel and server. The nearest choice holds. */
export function createSettings({ choices, config, now }: SettingsDeps): Settings {
  const isAllowed = (model: string) =>
    config.allow_models.length === 0 || matchesAny(config.allow_models, model);

  async function chosen({ id }: Pick<Member, "id">, where: Where): Promise<Chosen> {
    const near = nearestFirst(where);
    const [own, places, personas] = await Promise.all([
      choices.modelOf(id),
      choices.places(near),
      choices.personas(near),
    ]);
    const at = (placeId: string) => places.find((one) => one.placeId === placeId);
    const channels = near.filter((placeId) => placeId !== where.guildId);
    const channel = channels.map(at).find((place) => place !== undefined);
    const server = where.guildId === null ? undefined : at(where.guildId);
    const wishes: [ChoiceScope, string | null | undefined][] = [
      ["me", own],
      ["channel", channel?.model],
      ["server", server?.model],
    ];
    // What was chosen before the admin took it off the list is as good as not chosen.
    const [by = "config" as const, model = config.model] =
      wishes.find(([, wish]) => wish != null && isAllowed(wish)) ?? [];
    const persona = near.map((id) => personas.find(({ placeId }) => placeId === id)).find((one) => one?.text);
    return { model: model ?? config.model, chosenBy: by, persona, channel, server };
  }

  return {
    isAllowed,
    chosen,
    async modelFor(member, where) {
      const { model, chosenBy } = await chosen(member, where);
      return { model, chosenBy };
    },
    async choose({ by, where, scope, model }) {
      if (model !== null && !isAllowed(model)) throw refused(model);
      if (scope === "me") return choices.setModelOf(by.id, model);
      await choices.setPlace(placeOf(by, where, scope), { model });
    },
    async place(where) {
      const { channel, server } = await chosen({ id: "" }, where);
      return { channel, server };
    },
    setPlace: async ({ by, where, scope, change }) => choices.setPlace(placeOf(by, where, scope), change),
    async persona(where) {
      return (await chosen({ id: "" }, where)).persona;
    },
    async setPersona({ by, where, scope, text }) {
      if (text.length > LONGEST_PERSONA) throw tooLong();
      return choices.addPersona({
        ...placeOf(by, where, scope),
        text: text.trim(),
        authorId: by.id,
        createdAt: now(),
      });
    },
    personaVersions: (where, scope, limit) =>
      choices.personaVersions(scope === "server" ? (where.guildId ?? "") : channelOf(where), limit),
  };
}

/** A thread has what the channel has that it hangs under. */
function channelOf({ channelId, parentChannelId }: Where): string {
  return parentChannelId ?? channelId;
}

function nearestFirst(where: Where): string[] {
  return [...new Set([where.channelId, channelOf(where), where.guildId ?? ""])].filter((id) => id !== "");
}

/** What a moderator may set. Throws WisError forbidden. */
function placeOf(
  by: Member,
  where: Where,
  scope: "channel" | "server",
): { placeId: string; guildId: string } {
  const { guildId } = where;
  if (guildId === null) {
    throw new WisError("forbidden", {
      say: "Direct messages have no settings of a server or channel.",
      hint: "Run the command in the server.",
    });
  }
  if (!by.moderator) {
    throw new WisError("forbidden", {
      say: `Only moderators may change what holds for a whole ${scope}.`,
      hint: "Ask somebody with the permission Manage Messages.",
    });
  }
  return { guildId, placeId: scope === "server" ? guildId : channelOf(where) };
}

/** The admin has not put it on the list. */
export function refused(model: string): WisError {
  return new WisError("llm.model_refused", {
    say: `The model "${model}" may not be used here.`,
    hint: "Choose one that /wis model lists; an admin decides with llm.allow_models.",
  });
}

function tooLong(): WisError {
  return new WisError("bad_request", {
    say: `A persona has at most ${LONGEST_PERSONA} characters.`,
    hint: "Make it shorter: every answer has to read it.",
  });
}
