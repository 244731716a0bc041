import { ApplicationCommandOptionType } from "discord.js";
import { isWisError, WisError } from "../../errors.ts";
import type { ChoiceScope } from "../../llm/llm.ts";
import { sameModel } from "../../llm/model-name.ts";
import { chosenLine, modelList } from "../model-list.ts";
import { plain } from "../render.ts";
import type { Asked, Button, Command, CommandDeps } from "./command.ts";
import { fetchModel, withFetch } from "./model-fetch.ts";

/** Typed as a model's name, it takes a choice back. */
const DEFAULT = "default";

export const model: Command = {
  name: "model",
  description: "Which models there are, and which one answers you, this channel or this server",
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: "name",
      description: "The model that shall answer; default takes the choice back",
      autocomplete: true,
      max_length: 200,
    },
    {
      type: ApplicationCommandOptionType.String,
      name: "for",
      description: "For whom: you, or for moderators this channel or this server",
      choices: [
        { name: "me", value: "me" },
        { name: "this channel", value: "channel" },
        { name: "this server", value: "server" },
      ],
    },
    {
      type: ApplicationCommandOptionType.Boolean,
      name: "fetch",
      description: "Moderators: have a model server download it first",
    },
  ],
  help: () => "see the models; choose yours",

  async run(deps, asked) {
    const { options } = asked.interaction;
    const name = options.getString("name")?.trim();
    const scope = options.getString("for");
    const fetch = options.getBoolean("fetch");
    if (!name && (scope || fetch)) throw nameless();
    if (name && fetch) {
      await fetchModel(deps, asked, name);
      return;
    }
    await asked.reply.defer({ ephemeral: true });
    if (name) await choose(deps, asked, name, (scope ?? "me") as ChoiceScope);
    else await list(deps, asked);
  },

  async complete({ llm }, { interaction }) {
    const typed = interaction.options.getFocused().toLowerCase();
    const models = await llm.models();
    const found = models.filter(({ name }) => name.toLowerCase().includes(typed));
    const choices = found.slice(0, MOST_COMPLETED).map(({ name, warm }) => ({
      name: warm ? `${name} (ready at once)` : name,
      value: name,
    }));
    if (!DEFAULT.startsWith(typed)) return choices;
    return [...choices, { name: "default (takes the choice back)", value: DEFAULT }];
  },
};

/** Discord takes 25 choices; one is the way back. */
const MOST_COMPLETED = 24;

async function list({ config, llm }: CommandDeps, { where, member, reply }: Asked<unknown>): Promise<void> {
  const [models, chosen, place] = await Promise.all([
    llm.models(),
    llm.modelFor(member, where),
    llm.place(where),
  ]);
  const missing = !models.some(({ name }) => sameModel(name, chosen.model));
  const content = modelList(models, chosen, place);
  await reply.show(missing ? withFetch(config, member, chosen.model, content) : { content });
}

async function choose(
  { config, llm }: CommandDeps,
  { where, member, reply, explain }: Asked<unknown>,
  name: string,
  scope: ChoiceScope,
): Promise<void> {
  const chosen = name.toLowerCase() === DEFAULT ? null : name;
  try {
    await llm.chooseModel({ by: member, where, scope, model: chosen });
  } catch (error) {
    if (!isWisError(error, "llm.model_missing")) throw error;
    await reply.show(withFetch(config, member, name, explain(error)));
    throw error;
  }
  const now = await llm.modelFor(member, where);
  await reply.show({ content: `${done(scope, chosen)}\n${chosenLine(now)}` });
}

function nameless(): WisError {
  return new WisError("bad_request", {
    say: "Which model is it to be?",
    hint: "Type the model's name as well: /wis model lists those that there are.",
  });
}

const FOR: Record<ChoiceScope, string> = { me: "you", channel: "this channel", server: "this server" };

function done(scope: ChoiceScope, name: string | null): string {
  if (name === null) return `The choice for ${FOR[scope]} is taken back.`;
  const back = `\`/wis model name:${DEFAULT}${scope === "me" ? "" : ` for:this ${scope}`}\``;
  return `Chosen for ${FOR[scope]}: **${plain(name, 100)}**. ${back} takes that back.`;
}

/** Its argument is a model's name, encoded: names have colons in them. */
export const pullModel: Button = {
  kind: "model:pull",
  async run(deps, asked, argument) {
    await fetchModel(deps, asked, decodeURIComponent(argument));
  },
};
