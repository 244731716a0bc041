import type { Llm, ModelView } from "./llm.ts";
import { matchesAny, sameModel } from "./model-name.ts";
import { missing, type Pool } from "./pool.ts";
import { refused, type Settings } from "./settings.ts";

export interface ModelsDeps {
  pool: Pick<Pool, "models" | "describe" | "looked">;
  settings: Pick<Settings, "choose">;
  config: { allow_models: string[] };
}

/** The part of the Llm port that is about which models there are. */
export type Models = Pick<Llm, "models" | "chooseModel"> & {
  /** The name that a host has for what somebody typed. Throws WisError llm.model_refused, llm.model_missing. */
  nameOf(model: string): Promise<string>;
};

export function createModels({ pool, settings, config }: ModelsDeps): Models {
  const isAllowed = (model: string) =>
    config.allow_models.length === 0 || matchesAny(config.allow_models, model);

  async function nameOf(model: string): Promise<string> {
    if (!isAllowed(model)) throw refused(model);
    await pool.looked();
    const held = pool.models();
    const found = held.find(({ name }) => sameModel(name, model));
    // Where no host answers, whether one has it is not known: the question itself will tell.
    if (!found && held.length > 0) throw missing(model);
    return found?.name ?? model;
  }

  return {
    nameOf,
    async models() {
      await pool.looked();
      const views = pool
        .models()
        .filter(({ name }) => isAllowed(name))
        .map(async (model): Promise<ModelView> => {
          const described = await pool.describe(model.name);
          return { ...model, capabilities: described?.capabilities, context: described?.context };
        });
      return (await Promise.all(views)).sort(
        (a, b) => Number(b.warm) - Number(a.warm) || a.name.localeCompare(b.name),
      );
    },
    async chooseModel({ model, ...input }) {
      await settings.choose({ ...input, model: model === null ? null : await nameOf(model) });
    },
  };
}
