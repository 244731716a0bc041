import { createHash } from "node:crypto";

// The shapes of Ollama's answers: https://github.com/ollama/ollama/blob/main/docs/api.md

const SIZE = 2_019_393_189;
const details = {
  parent_model: "",
  format: "gguf",
  family: "llama",
  families: ["llama"],
  parameter_size: "3.2B",
  quantization_level: "Q4_K_M",
};

const digest = (name: string) => createHash("sha256").update(name).digest("hex");

/** A name without a tag means `:latest`. */
export const tagged = (name: string) => (name.includes(":") ? name : `${name}:latest`);

/** An entry of /api/tags. */
export function listed(name: string) {
  return {
    name: tagged(name),
    model: tagged(name),
    modified_at: "2026-01-05T10:00:00.000000000Z",
    size: SIZE,
    digest: digest(name),
    details,
  };
}

/** An entry of /api/ps. `onGpu` is 0 to 1. */
export function running(name: string, onGpu: number) {
  return {
    ...listed(name),
    modified_at: undefined,
    expires_at: new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString(),
    size_vram: Math.round(SIZE * onGpu),
    context_length: 4096,
  };
}

/** What /api/show answers. */
export function shown() {
  return {
    license: "stand-in",
    modelfile: "FROM stand-in",
    parameters: 'stop "<|eot_id|>"',
    template: "{{ .Prompt }}",
    details,
    model_info: { "general.architecture": "llama", "llama.context_length": 131072 },
    capabilities: ["completion", "tools"],
    modified_at: "2026-01-05T10:00:00.000000000Z",
  };
}
