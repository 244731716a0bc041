import { describe, expect, test } from "bun:test";
import { configSchema } from "../config/schema.ts";
import { causeChain } from "../errors.ts";
import { openTelemetry } from "../telemetry/open.ts";
import { type ChatTrouble, startOllama } from "../testing/ollama.ts";
import { startOtlp } from "../testing/otlp.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { type HostTrouble, hostContract } from "./contract.ts";
import { createOllamaHost } from "./ollama.ts";

const troubles: Partial<Record<HostTrouble, ChatTrouble>> = {
  busy: { kind: "busy" },
  refused: {
    kind: "refused",
    error: "model requires more system memory (9.9 GiB) than is available (4 GiB)",
  },
  "cut after a token": { kind: "stall", after: 1 },
  "unfinished after a token": { kind: "unfinished", after: 1 },
  "error after a token": { kind: "error", after: 1, error: "llama runner process has terminated" },
  "nonsense after a token": { kind: "garbage", after: 1 },
  silent: { kind: "hang" },
  "stalled after a token": { kind: "stall", after: 1 },
};

describe("the contract", () => {
  hostContract(async ({ answer, trouble }) => {
    const ollama = await startOllama({ answer, trouble: trouble && troubles[trouble] });
    const { telemetry, ...opened } = await openTestTelemetry();
    if (trouble === "stopped") await ollama.stop();
    if (trouble === "model missing") ollama.set({ models: [] });
    return {
      host: createOllamaHost({ name: "local", url: ollama.url, telemetry }),
      model: "llama3.2:latest",
      tokenRead() {
        if (trouble === "cut after a token") ollama.nextChat().then((chat) => chat.cut());
      },
      async asked() {
        await ollama.nextChat();
      },
      async leftEarly() {
        await ollama.abandoned();
        return ollama.aborted;
      },
      async [Symbol.asyncDispose]() {
        await ollama.stop();
        await opened[Symbol.asyncDispose]();
      },
    };
  });
});

/** A host in front of the stand-in, and what it says to one question. */
async function openHost(options: Parameters<typeof startOllama>[0]) {
  const ollama = await startOllama(options);
  const { telemetry, ...opened } = await openTestTelemetry();
  const host = createOllamaHost({ name: "gpu-box", url: ollama.url, telemetry });
  const ask = () =>
    Array.fromAsync(
      host.chat({
        model: "llama3.2",
        messages: [{ role: "user", content: "Hi" }],
        keepAlive: 90_000,
        signal: new AbortController().signal,
      }),
    );
  return {
    ollama,
    host,
    ask,
    error: () => ask().catch((error: unknown) => error),
    async [Symbol.asyncDispose]() {
      await ollama.stop();
      await opened[Symbol.asyncDispose]();
    },
  };
}

test("what a model thinks is left out", async () => {
  await using stage = await openHost({ manual: true });
  const asked = stage.ask();
  const chat = await stage.ollama.nextChat();
  await chat.thinking("Hmm, a greeting.");
  await chat.line('{"message":{"role":"assistant","thinking":"Short, then."},"done":false}');
  await chat.token("Hello");
  await chat.finish();
  expect(await asked).toMatchObject([
    { type: "text", text: "Hello" },
    { type: "done", reason: "stop" },
  ]);
});

test("the model is kept loaded for as long as was asked", async () => {
  await using stage = await openHost({});
  await stage.ask();
  expect(stage.ollama.requests.at(-1)?.body).toMatchObject({ model: "llama3.2", keep_alive: "90000ms" });
});

test("a missing model comes with the command that pulls it", async () => {
  await using stage = await openHost({ models: [] });
  expect(await stage.error()).toMatchObject({
    code: "llm.model_missing",
    say: 'The model "llama3.2" is not on the model server "gpu-box".',
    hint: "An admin can fetch it there with: ollama pull llama3.2",
  });
});

test("an address where something else answers is no missing model", async () => {
  await using page = Bun.serve({ port: 0, fetch: () => new Response("<h1>Not found</h1>", { status: 404 }) });
  await using opened = await openTestTelemetry();
  const host = createOllamaHost({ name: "local", url: page.url.href, telemetry: opened.telemetry });
  const { signal } = new AbortController();
  const asked = Array.fromAsync(host.chat({ model: "llama3.2", messages: [], keepAlive: 1, signal }));
  await expect(asked).rejects.toMatchObject({ code: "llm.bad_reply" });
  await expect(host.loaded(signal)).rejects.toMatchObject({ code: "llm.bad_reply" });
});

test("an answer from something that is no Ollama is a bad reply", async () => {
  await using page = Bun.serve({ port: 0, fetch: () => new Response("<h1>Welcome</h1>") });
  await using opened = await openTestTelemetry();
  const host = createOllamaHost({ name: "local", url: page.url.href, telemetry: opened.telemetry });
  const { signal } = new AbortController();
  await expect(host.models(signal)).rejects.toMatchObject({ code: "llm.bad_reply" });
  await expect(host.version(signal)).rejects.toMatchObject({ code: "llm.bad_reply" });
});

test("the operator reads Ollama's own words and the address, without its password", async () => {
  const error = "model requires more system memory (9.9 GiB) than is available (4 GiB)";
  await using stage = await openHost({ trouble: { kind: "refused", error } });
  await using opened = await openTestTelemetry();
  const url = stage.ollama.url.replace("http://", "http://admin:hunter2@");
  const host = createOllamaHost({ name: "local", url, telemetry: opened.telemetry });
  const { signal } = new AbortController();
  const asked = Array.fromAsync(host.chat({ model: "llama3.2", messages: [], keepAlive: 1, signal }));
  const chain = causeChain(await asked.catch((error: unknown) => error))
    .map(String)
    .join("\n");
  expect(chain).toContain(error);
  expect(chain).toContain(stage.ollama.url);
  expect(chain).not.toContain("hunter2");
});

test("a line without an end does not fill the memory", async () => {
  await using page = Bun.serve({
    port: 0,
    fetch: () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(97)),
        }),
        { headers: { "content-type": "application/x-ndjson" } },
      ),
  });
  await using opened = await openTestTelemetry();
  const host = createOllamaHost({ name: "local", url: page.url.href, telemetry: opened.telemetry });
  const { signal } = new AbortController();
  const asked = Array.fromAsync(host.chat({ model: "llama3.2", messages: [], keepAlive: 1, signal }));
  await expect(asked).rejects.toMatchObject({ code: "llm.bad_reply" });
});

describe("its span", () => {
  async function spanOf(trouble: ChatTrouble | undefined) {
    await using ollama = await startOllama({ answer: ["Hel", "lo"], trouble });
    await using otlp = await startOtlp();
    const { telemetry: config, log } = configSchema.parse({ telemetry: { otlp_endpoint: otlp.url } });
    const telemetry = await openTelemetry({
      config: { telemetry: config, log },
      version: "0.0.0",
      env: {},
      logTo: { write() {} },
    });
    const host = createOllamaHost({ name: "local", url: ollama.url, telemetry });
    const { signal } = new AbortController();
    const messages = [{ role: "user" as const, content: "a secret question" }];
    const asked = Array.fromAsync(host.chat({ model: "llama3.2", messages, keepAlive: 1, signal }));
    await Promise.allSettled([asked]);
    await telemetry.shutdown();
    return { span: await otlp.waitFor(({ name }) => name === "chat llama3.2"), ollama };
  }

  test("follows the GenAI conventions and holds no content", async () => {
    const { span, ollama } = await spanOf(undefined);
    expect(span.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "ollama",
      "gen_ai.request.model": "llama3.2",
      "gen_ai.usage.input_tokens": 3,
      "gen_ai.usage.output_tokens": 2,
      "gen_ai.response.finish_reasons": ["stop"],
      "server.address": "127.0.0.1",
      "server.port": ollama.port,
    });
    expect(span.kind).toBe("CLIENT");
    expect(JSON.stringify(span)).not.toContain("secret question");
  });

  test("says which error ended it", async () => {
    const { span } = await spanOf({ kind: "cut", after: 1 });
    expect(span.attributes["error.type"]).toBe("llm.cut");
  });
});
