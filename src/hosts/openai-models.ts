import { z } from "zod";
import type { Capability, ModelDescription } from "../llm/ports.ts";

// A model's entry in GET /models is its id; everything else is an addition of the server's makers.

/** Words such as `multimodal`; or, as Mistral has it, an object of words that are true. */
const words = z.union([
  z.array(z.string()),
  z.record(z.string(), z.unknown()).transform((all) => Object.keys(all).filter((word) => all[word] === true)),
]);

const entry = z.object({
  id: z.string(),
  /** vLLM's: what it was started with. */
  max_model_len: z.number().nullish().catch(undefined),
  /** llama.cpp's: what a slot takes, what the model was made for, and bytes. Null while it loads. */
  meta: z
    .object({ n_ctx: z.number().nullish(), n_ctx_train: z.number().nullish(), size: z.number().nullish() })
    .nullish()
    .catch(undefined),
  capabilities: words.nullish().catch(undefined),
  /** llama.cpp's and OpenRouter's. */
  architecture: z
    .object({ input_modalities: z.array(z.string()).nullish() })
    .nullish()
    .catch(undefined),
});

/** GET /models. llama.cpp has a second list, with capabilities. */
export const modelList = z.object({
  data: z.array(entry),
  models: z
    .array(z.object({ name: z.string(), capabilities: words.nullish() }))
    .nullish()
    .catch(undefined),
});

const meanings: Record<string, Capability> = {
  vision: "vision",
  image: "vision",
  multimodal: "vision",
  tools: "tools",
  tool_use: "tools",
  function_calling: "tools",
  thinking: "thinking",
  reasoning: "thinking",
};

/** A model as the list has it. */
export interface Listed extends ModelDescription {
  name: string;
  /** Bytes; 0 where it does not say. */
  size: number;
}

export function listedOf({ data, models }: z.infer<typeof modelList>): Listed[] {
  return data.map(({ id, max_model_len, meta, capabilities, architecture }) => {
    const said = [
      ...(capabilities ?? []),
      ...(models?.find(({ name }) => name === id)?.capabilities ?? []),
      ...(architecture?.input_modalities ?? []),
    ];
    return {
      name: id,
      size: meta?.size ?? 0,
      capabilities: [...new Set(said.flatMap((word) => meanings[word] ?? []))],
      context: max_model_len ?? meta?.n_ctx ?? undefined,
      maxContext: meta?.n_ctx_train ?? max_model_len ?? undefined,
    };
  });
}
