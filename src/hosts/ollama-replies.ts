import { z } from "zod";
import type { Capability, HostModel, LoadedModel, ModelDescription } from "../llm/ports.ts";

// What is used of Ollama's answers: https://github.com/ollama/ollama/blob/main/docs/api.md

const capabilities: readonly string[] = ["vision", "tools", "thinking"] satisfies Capability[];
const isCapability = (word: string): word is Capability => capabilities.includes(word);

/** GET /api/tags. */
export const tags = z.object({ models: z.array(z.object({ name: z.string(), size: z.number() })) });

export function modelsOf({ models }: z.infer<typeof tags>): HostModel[] {
  return models;
}

/** GET /api/version. */
export const version = z.object({ version: z.string() });

/** GET /api/ps. `context_length` came with Ollama 0.11. */
export const ps = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      size: z.number(),
      size_vram: z.number(),
      context_length: z.number().optional(),
    }),
  ),
});

export function loadedOf({ models }: z.infer<typeof ps>): LoadedModel[] {
  return models.map(({ name, size, size_vram, context_length }) => ({
    name,
    size,
    sizeVram: size_vram,
    context: context_length,
  }));
}

/** POST /api/show. */
export const show = z.object({
  capabilities: z.array(z.string()).default([]),
  /** A model's own settings, one a line, as `num_ctx   8192`. */
  parameters: z.string().default(""),
  model_info: z.record(z.string(), z.unknown()).default({}),
});

export function descriptionOf({
  capabilities,
  parameters,
  model_info,
}: z.infer<typeof show>): ModelDescription {
  const set = /^num_ctx\s+(\d+)/m.exec(parameters)?.[1];
  const most = model_info[`${model_info["general.architecture"]}.context_length`];
  return {
    capabilities: capabilities.filter(isCapability),
    context: set === undefined ? undefined : Number(set),
    maxContext: typeof most === "number" ? most : undefined,
  };
}

/** A line of POST /api/chat. One that only thinks may leave the content out. */
export const chatLine = z.object({
  message: z.object({ content: z.string().nullish(), thinking: z.string().nullish() }),
});

/** A line of POST /api/pull. */
export const pullLine = z.object({
  status: z.string(),
  completed: z.number().optional(),
  total: z.number().optional(),
});
