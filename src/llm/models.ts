import type { Llm, ModelView } from "./llm.ts";
import { sameModel } from "./model-name.ts";
import { missing, type Pool } from "./pool.ts";
import { refused, type Settings } from "./settings.ts";

export interface ModelsDeps {
  pool: Pick<Pool, "models" | "describe" | "looked">;
  settings: Pick<Settings, "choose" | "isAllowed">;
}

/** The part of the Llm port that is about which models there are. */
export type Models = Pick<Llm, "models" | "chooseModel"> & {
  /** The name that a host has for what somebody typed. Throws WisError llm.model_refused, llm.model_missing. */
  nameOf(model: string): Promise<string>;
};

export function createModels({ pool, settings }: ModelsDeps): Models {
  async function nameOf(model: string): Promise<string> {
    if (!settings.isAllowed(model)) throw refused(model);
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
        .filter(({ name }) => settings.isAllowed(name))
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
