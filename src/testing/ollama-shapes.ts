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

/** What is known about a model. */
export interface Described {
  /** Default completion and tools. */
  capabilities?: string[];
  /** Tokens that it takes unless it is told otherwise. Default: nothing says. */
  context?: number;
  /** The most tokens that it was made for. Default 131072. */
  maxContext?: number;
}

/** What /api/show answers. */
export function shown({
  capabilities = ["completion", "tools"],
  context,
  maxContext = 131_072,
}: Described = {}) {
  const limit = context === undefined ? [] : [`num_ctx                        ${context}`];
  return {
    license: "stand-in",
    modelfile: "FROM stand-in",
    parameters: [...limit, 'stop                           "<|eot_id|>"'].join("\n"),
    template: "{{ .Prompt }}",
    details,
    model_info: { "general.architecture": "llama", "llama.context_length": maxContext },
    capabilities,
    modified_at: "2026-01-05T10:00:00.000000000Z",
  };
}

const layer = digest("layer");

/** What /api/pull says on the way. */
export const pullSteps = [
  { status: "pulling manifest" },
  { status: `pulling ${layer.slice(0, 12)}`, digest: `sha256:${layer}`, total: SIZE },
  { status: `pulling ${layer.slice(0, 12)}`, digest: `sha256:${layer}`, total: SIZE, completed: SIZE },
  { status: "verifying sha256 digest" },
  { status: "writing manifest" },
];
