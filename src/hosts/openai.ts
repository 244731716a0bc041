import { isWisError } from "../errors.ts";
import type { ModelHost } from "../llm/ports.ts";
import { tracedChat } from "./chat-span.ts";
import { type Asked, badReply, modelMissing, refusal } from "./failures.ts";
import { openAiChat } from "./openai-chat.ts";
import { type Listed, listedOf, modelList } from "./openai-models.ts";
import { type HostDeps, parseJson, send, textOf, wordsOf } from "./request.ts";

/**
 * A server with an OpenAI-compatible API: vLLM, llama.cpp, LM Studio, or a hosted one. `url` is where
 * /chat/completions follows, such as http://127.0.0.1:8000/v1. Its requests can say neither how long to keep a model
 * nor how many tokens to take. Throws WisError llm.unreachable, llm.model_missing, llm.host_busy, llm.cut,
 * llm.bad_reply or bad_request; rejects with the signal's reason when aborted.
 */
export function createOpenAiHost({ name, url, headers = {}, context, telemetry }: HostDeps): ModelHost {
  const host: Asked = { kind: "openai", name, url, headers };
  const provider = "openai";
  const base = url.replace(/\/+$/, "");

  async function list(signal: AbortSignal): Promise<Listed[]> {
    const listed = await listModels(host, base, signal);
    return listed.map((model) => ({ ...model, context: context ?? model.context }));
  }

  return {
    kind: "openai",
    name,
    url,
    chat: (request) =>
      tracedChat(
        { telemetry, provider, name, url },
        request,
        openAiChat({ ...host, model: request.model }, base, request),
      ),
    models: async (signal) => (await list(signal)).map(({ name, size }) => ({ name, size })),
    loaded: async (signal) =>
      (await list(signal)).map(({ name, context }) => ({ name, size: 0, sizeVram: 0, context })),
    async describe(model, signal) {
      const there = (await list(signal)).find(({ name }) => name === model);
      if (!there) throw modelMissing(host, model);
      const { capabilities, context, maxContext } = there;
      return { capabilities, context, maxContext };
    },
    pull: undefined,
    async version(signal) {
      await list(signal);
      return "OpenAI-compatible";
    },
  };
}

async function listModels(host: Asked, base: string, signal: AbortSignal): Promise<Listed[]> {
  signal.throwIfAborted();
  try {
    const response = await send(host, `${base}/models`, { signal });
    if (!response.ok) throw refusal(host, response.status, await wordsOf(response));
    return listedOf(modelList.parse(parseJson(host, await textOf(host, response))));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isWisError(error) ? error : badReply(host, error);
  }
}
