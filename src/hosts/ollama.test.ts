import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import fc from "fast-check";
import { configSchema } from "../config/schema.ts";
import { causeChain } from "../errors.ts";
import type { ModelHost } from "../llm/ports.ts";
import { openTelemetry } from "../telemetry/open.ts";
import { type ChatTrouble, type OllamaOptions, startOllama } from "../testing/ollama.ts";
import { startOtlp } from "../testing/otlp.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { type HostTrouble, hostContract, hostSecret, inPieces } from "./contract.ts";
import { createOllamaHost } from "./ollama.ts";
import { lines } from "./ollama-fetch.ts";

const troubles: Partial<Record<HostTrouble, ChatTrouble>> = {
  busy: { kind: "busy" },
  refused: {
    kind: "refused",
    error: `model requires more memory than is available; asked with ${hostSecret}`,
  },
  "cut after a token": { kind: "stall", after: 1 },
  "short of the length that it announced": { kind: "short", after: 1 },
  "unfinished after a token": { kind: "unfinished", after: 1 },
  "error after a token": { kind: "error", after: 1, error: `llama runner ended: ${hostSecret}` },
  "nonsense after a token": { kind: "garbage", after: 1 },
  silent: { kind: "hang" },
  "stalled after a token": { kind: "stall", after: 1 },
};

/** Bun's fetch drops what was not read yet when a connection breaks: it breaks once the token was read. */
const breaking: HostTrouble[] = ["cut after a token", "short of the length that it announced"];

describe("the contract", () => {
  hostContract(async ({ answer, trouble, describe, headers }) => {
    const ollama = await startOllama({ answer, describe, trouble: trouble && troubles[trouble] });
    const { telemetry, ...opened } = await openTestTelemetry();
    if (trouble === "stopped") await ollama.stop();
    if (trouble === "model missing") ollama.set({ models: [] });
    return {
      host: createOllamaHost({ name: "local", url: ollama.url, headers, telemetry }),
      model: "llama3.2:latest",
      received: () => ollama.requests.at(-1),
      tokenRead() {
        if (trouble !== undefined && breaking.includes(trouble)) ollama.nextChat().then((chat) => chat.cut());
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
async function openHost(options: OllamaOptions, own: { context?: number } = {}) {
  const ollama = await startOllama(options);
  const { telemetry, ...opened } = await openTestTelemetry();
  const host = createOllamaHost({ name: "gpu-box", url: ollama.url, telemetry, ...own });
  const ask = (asked: { context?: number } = {}) =>
    Array.fromAsync(
      host.chat({
        model: "llama3.2",
        messages: [{ role: "user", content: "Hi" }],
        keepAlive: 90_000,
        signal: new AbortController().signal,
        ...asked,
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

test("the model is kept loaded for as long as was asked", async () => {
  await using stage = await openHost({});
  await stage.ask();
  expect(stage.ollama.requests.at(-1)?.body).toMatchObject({ model: "llama3.2", keep_alive: "90000ms" });
});

test("the context that is asked for is what Ollama is told, else the host's own", async () => {
  await using stage = await openHost({}, { context: 16_384 });
  await stage.ask();
  await stage.ask({ context: 8_192 });
  expect(stage.ollama.requests.map(({ body }) => body)).toMatchObject([
    { options: { num_ctx: 16_384 } },
    { options: { num_ctx: 8_192 } },
  ]);
});

test("without any context, Ollama's own stays, and so it is told", async () => {
  await using stage = await openHost({ describe: { capabilities: ["completion", "insert", "tools"] } });
  await stage.ask();
  expect(stage.ollama.requests.at(-1)?.body).not.toHaveProperty("options");
  const { signal } = new AbortController();
  expect(await stage.host.describe("llama3.2", signal)).toEqual({
    capabilities: ["tools"],
    context: undefined,
    maxContext: 131_072,
  });
  expect(await stage.host.loaded(signal)).toMatchObject([{ name: "llama3.2:latest", context: 4_096 }]);
});

describe("fetching a model", () => {
  const fetched = (host: ModelHost, signal = new AbortController().signal) =>
    Array.fromAsync(host.pull?.("qwen3:8b", signal) ?? []);

  test("tells how far it is, and ends when the model is there", async () => {
    await using stage = await openHost({});
    const steps = await fetched(stage.host);
    expect(steps[0]).toEqual({ status: "pulling manifest", completed: 0, total: 0 });
    expect(steps).toContainEqual({
      status: expect.stringMatching(/^pulling [0-9a-f]{12}$/),
      completed: 2_019_393_189,
      total: 2_019_393_189,
    });
    expect(steps.at(-1)).toMatchObject({ status: "success" });
    const names = (await stage.host.models(new AbortController().signal)).map(({ name }) => name);
    expect(names).toContain("qwen3:8b");
  });

  test("each step comes as soon as Ollama says it, and leaving ends the request", async () => {
    await using stage = await openHost({ pull: { manual: true } });
    const steps = stage.host.pull?.("qwen3:8b", new AbortController().signal)[Symbol.asyncIterator]();
    const first = steps?.next();
    const pull = await stage.ollama.nextPull();
    pull.step({ status: "pulling manifest" });
    expect((await first)?.value).toMatchObject({ status: "pulling manifest" });
    await steps?.return?.(undefined);
    if (!pull.closed.aborted) await once(pull.closed, "abort");
  });

  test("a model that Ollama can't get is named, with Ollama's words for the operator", async () => {
    const words = "pull model manifest: file does not exist";
    await using stage = await openHost({ pull: { error: words } });
    const error = await fetched(stage.host).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "llm.pull_failed", say: expect.stringContaining('"qwen3:8b"') });
    expect(causeChain(error).map(String).join("\n")).toContain(words);
  });

  test("a full disk there is told as one", async () => {
    const words = "write /root/.ollama/models/blobs/sha256-1-partial: no space left on device";
    await using stage = await openHost({ pull: { error: words } });
    await expect(fetched(stage.host)).rejects.toMatchObject({ code: "disk.full" });
  });

  test("one that is refused before it begins is a failed fetch too", async () => {
    await using page = Bun.serve({
      port: 0,
      fetch: () => Response.json({ error: "invalid model name" }, { status: 400 }),
    });
    await using opened = await openTestTelemetry();
    const host = createOllamaHost({ name: "local", url: page.url.href, telemetry: opened.telemetry });
    await expect(fetched(host)).rejects.toMatchObject({ code: "llm.pull_failed" });
  });

  test("a broken connection is a failed fetch, and a stopped Ollama an unreachable one", async () => {
    await using stage = await openHost({ pull: { manual: true } });
    const steps = stage.host.pull?.("qwen3:8b", new AbortController().signal)[Symbol.asyncIterator]();
    const first = steps?.next();
    const pull = await stage.ollama.nextPull();
    pull.step({ status: "pulling manifest" });
    await first;
    pull.cut();
    await expect(steps?.next()).rejects.toMatchObject({ code: "llm.pull_failed" });
    await stage.ollama.stop();
    await expect(fetched(stage.host)).rejects.toMatchObject({ code: "llm.unreachable" });
  });

  test("aborting rejects with the reason", async () => {
    await using stage = await openHost({ pull: { manual: true } });
    const abort = new AbortController();
    const aborted = fetched(stage.host, abort.signal);
    await stage.ollama.nextPull();
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
  });
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

test("lines come out as they were sent, however the network cuts them", async () => {
  const asked = { kind: "ollama", name: "local", url: "http://127.0.0.1", headers: {} } as const;
  const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\n"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      async (sent, size, ended) => {
        const text = sent.join("\n") + (ended ? "\n" : "");
        expect(await Array.fromAsync(lines(asked, inPieces(text, size)))).toEqual(sent);
      },
    ),
  );
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
    const headers = { "X-Key": hostSecret };
    const host = createOllamaHost({ name: "local", url: ollama.url, headers, telemetry });
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
    expect(JSON.stringify(span)).not.toContain(hostSecret);
  });

  test("says which error ended it", async () => {
    const { span } = await spanOf({ kind: "cut", after: 1 });
    expect(span.attributes["error.type"]).toBe("llm.cut");
  });
});
