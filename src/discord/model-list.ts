import type { ChoiceScope, Llm, ModelView } from "../llm/llm.ts";
import { sameModel } from "../llm/model-name.ts";
import type { Capability } from "../llm/ports.ts";
import { linesWithin } from "./lines.ts";
import { CONTENT_LIMIT, note, plain } from "./render.ts";

type Chosen = Awaited<ReturnType<Llm["modelFor"]>>;
type Place = Awaited<ReturnType<Llm["place"]>>;

const CHOSEN_BY: Record<ChoiceScope | "config", string> = {
  me: "your own choice",
  channel: "this channel's choice",
  server: "this server's choice",
  config: "the admin's default",
};

/** Which model answers, and who chose it. */
export function chosenLine({ model, chosenBy }: Chosen): string {
  return `**${plain(model, 100)}** answers you here: ${CHOSEN_BY[chosenBy]}.`;
}

/** All models that may be asked somewhere, in one message. */
export function modelList(models: ModelView[], chosen: Chosen, place: Place): string {
  const missing = !models.some(({ name }) => sameModel(name, chosen.model));
  return linesWithin({
    above: [chosenLine(chosen), ...(missing ? [`⚠️ No model server has it at the moment.`] : []), ""],
    listed: models.map((model) => modelLines(model, marks(model, chosen, place))),
    below: [
      ...(models.length === 0 ? ["No model server answers at the moment. `/wis status` says more."] : []),
      note("Choose one with `/wis model name:`"),
    ],
    // A button may need a sentence below.
    limit: CONTENT_LIMIT - 100,
    more: (count) => note(`…and ${count} more: type a part of the name into \`/wis model name:\``),
  });
}

/** Two short lines: a phone shows about 40 characters. */
function modelLines(model: ModelView, marks: string[]): string {
  const { name, warm } = model;
  const first = [`**${plain(name, 100)}**`, ...(warm ? ["ready at once"] : []), ...marks];
  return `${first.join(" · ")}\n${note(facts(model).join(" · "))}`;
}

function marks({ name }: ModelView, chosen: Chosen, { channel, server }: Place): string[] {
  const by = (who: Chosen["chosenBy"]) => (chosen.chosenBy === who ? chosen.model : undefined);
  const candidates = [
    ["yours", by("me")],
    ["this channel's", channel?.model],
    ["this server's", server?.model],
    ["the default", by("config")],
  ] as const;
  return candidates.flatMap(([mark, model]) => (model && sameModel(name, model) ? mark : []));
}

const CAN: Record<Capability, string> = {
  vision: "sees images",
  tools: "uses tools",
  thinking: "thinks",
};

function facts({ capabilities = [], context, hosts }: ModelView): string[] {
  return [
    ...capabilities.map((capability) => CAN[capability]),
    ...(context === undefined ? [] : [`${tokens(context)} tokens`]),
    `on ${hosts.map((host) => plain(host, 40)).join(", ")}`,
  ];
}

const KIBI = 1_024;

/** Context lengths are powers of two: 131072 is called 128k. */
const tokens = (count: number) => (count < KIBI ? String(count) : `${Math.round(count / KIBI)}k`);
