import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { causeChain } from "../errors.ts";
import type { ChatChunk, ModelHost } from "../llm/ports.ts";
import { type ChatTrouble, type OpenAiOptions, startOpenAi } from "../testing/openai.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { type HostTrouble, hostContract, hostSecret, inPieces } from "./contract.ts";
import { createOpenAiHost } from "./openai.ts";
import { eventsOf } from "./openai-chat.ts";

const troubles: Partial<Record<HostTrouble, ChatTrouble>> = {
  busy: { kind: "busy" },
  refused: { kind: "refused", error: `CUDA out of memory; asked with ${hostSecret}` },
  "cut after a token": { kind: "stall", after: 1 },
  "short of the length that it announced": { kind: "short", after: 1 },
  "unfinished after a token": { kind: "unfinished", after: 1 },
  "error after a token": { kind: "error", after: 1, error: `EngineCore died: ${hostSecret}` },
  "nonsense after a token": { kind: "garbage", after: 1 },
  silent: { kind: "hang" },
  "stalled after a token": { kind: "stall", after: 1 },
};

/** Bun's fetch drops what was not read yet when a connection breaks: it breaks once the token was read. */
const breaking: HostTrouble[] = ["cut after a token", "short of the length that it announced"];

describe("the contract", () => {
  hostContract(async ({ answer, trouble, describe, headers }) => {
    const server = await startOpenAi({ answer, describe, trouble: trouble && troubles[trouble] });
    const { telemetry, ...opened } = await openTestTelemetry();
    if (trouble === "stopped") await server.stop();
    if (trouble === "model missing") server.set({ models: [] });
    return {
      host: createOpenAiHost({ name: "local", url: server.url, headers, telemetry }),
      model: "llama3.2",
      received: () => server.requests.at(-1),
      tokenRead() {
        if (trouble !== undefined && breaking.includes(trouble)) server.nextChat().then((chat) => chat.cut());
      },
      async asked() {
        await server.nextChat();
      },
      async leftEarly() {
        await server.abandoned();
        return server.aborted;
      },
      async [Symbol.asyncDispose]() {
        await server.stop();
        await opened[Symbol.asyncDispose]();
      },
    };
  });
});

const { signal } = new AbortController();

function ask(host: ModelHost): Promise<ChatChunk[]> {
  const messages = [{ role: "user" as const, content: "Hi" }];
  return Array.fromAsync(host.chat({ model: "llama3.2", messages, keepAlive: 90_000, signal }));
}

async function openHost(options: OpenAiOptions, own: { context?: number } = {}) {
  const server = await startOpenAi(options);
  const { telemetry, ...opened } = await openTestTelemetry();
  return {
    server,
    host: createOpenAiHost({ name: "gpu-box", url: `${server.url}/`, telemetry, ...own }),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** A host in front of a server that answers everything so. */
async function openPage(answer: () => Response) {
  const page = Bun.serve({ port: 0, fetch: answer });
  const { telemetry, ...opened } = await openTestTelemetry();
  return {
    host: createOpenAiHost({ name: "local", url: `${page.url.origin}/v1`, telemetry }),
    async [Symbol.asyncDispose]() {
      await page.stop(true);
      await opened[Symbol.asyncDispose]();
    },
  };
}

const stream = (body: BodyInit) => new Response(body, { headers: { "content-type": "text/event-stream" } });
const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;

test("the counts are asked for, and come with the end", async () => {
  await using stage = await openHost({ answer: ["Hel", "lo"] });
  expect((await ask(stage.host)).at(-1)).toEqual({
    type: "done",
    usage: { inputTokens: 1, outputTokens: 2 },
    reason: "stop",
  });
  expect(stage.server.requests[0]?.body).toMatchObject({
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("an answer that was cut at the limit says so", async () => {
  await using stage = await openHost({ manual: true });
  const asked = ask(stage.host);
  const chat = await stage.server.nextChat();
  await chat.token("Once upon a");
  await chat.finish("length");
  expect((await asked).at(-1)).toMatchObject({ type: "done", reason: "length" });
});

test("both names for what a model thinks are known, and comments are skipped", async () => {
  const delta = (delta: object) => event({ choices: [{ index: 0, delta }] });
  const body = [
    ": PROCESSING\n\n",
    delta({ role: "assistant", content: null, reasoning_content: "a" }),
    delta({ content: "", reasoning: "b" }),
    delta({ content: "c", reasoning: null }),
    "data: [DONE]\n\n",
  ].join("");
  await using page = await openPage(() => stream(body));
  expect(await ask(page.host)).toEqual([
    { type: "thinking", text: "a" },
    { type: "thinking", text: "b" },
    { type: "text", text: "c" },
    { type: "done", usage: {}, reason: "stop" },
  ]);
});

test("an answer is whole with its reason, without [DONE]", async () => {
  const body = event({ choices: [{ index: 0, delta: { content: "Hi" }, finish_reason: "stop" }] });
  await using page = await openPage(() => stream(body));
  expect(await ask(page.host)).toMatchObject([{ text: "Hi" }, { type: "done", reason: "stop" }]);
});

test.each([
  [401, "llm.bad_reply", "headers"],
  [403, "llm.bad_reply", "headers"],
  [429, "llm.host_busy", "few minutes"],
  [400, "bad_request", "shorter"],
  [500, "llm.bad_reply", "error id"],
] as const)("%d is %s, and says what to do", async (status, code, hint) => {
  await using stage = await openHost({ trouble: { kind: "refused", status, error: "Not now" } });
  const error = await ask(stage.host).catch((error: unknown) => error);
  expect(error).toMatchObject({ code, hint: expect.stringContaining(hint) });
  expect(causeChain(error).map(String).join("\n")).toContain("Not now");
});

test.each([
  ["a page", () => new Response("<h1>Welcome</h1>")],
  ["a page that is not found", () => new Response("<h1>Not found</h1>", { status: 404 })],
  ["an answer that does not stream", () => Response.json({ choices: [{ message: { content: "Hi" } }] })],
  ["another address", () => Response.redirect("http://127.0.0.1:9/v1/chat/completions", 307)],
  ["a stream of other events", () => stream(event({ choices: "none" }))],
])("%s in place of an answer is a bad reply", async (_, answer) => {
  await using page = await openPage(answer);
  await expect(ask(page.host)).rejects.toMatchObject({ code: "llm.bad_reply" });
  await expect(page.host.models(signal)).rejects.toMatchObject({ code: "llm.bad_reply" });
});

test.each(["data: ", "", "\u0000"])(
  "an event without an end (%j…) does not fill the memory",
  async (start) => {
    const endless = () => {
      let first = true;
      return new ReadableStream({
        pull(controller) {
          controller.enqueue(first ? new TextEncoder().encode(start) : new Uint8Array(65_536).fill(97));
          first = false;
        },
      });
    };
    await using page = await openPage(() => stream(endless()));
    await expect(ask(page.host)).rejects.toMatchObject({ code: "llm.bad_reply" });
  },
);

test("events come out as they were sent, however the network cuts them", async () => {
  const asked = { kind: "openai", name: "local", url: "http://127.0.0.1", headers: {} } as const;
  const line = fc.string({ unit: "grapheme" }).filter((text) => !/[\r\n]/.test(text));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1 }),
      fc.integer({ min: 1, max: 20 }),
      async (events, size) => {
        const sent = events.map((text) => `data: ${text}\n\n`).join("");
        expect(await Array.fromAsync(eventsOf(asked, inPieces(sent, size)))).toEqual(events);
      },
    ),
  );
});

describe("what it tells about a model", () => {
  test("nothing, where the server says nothing", async () => {
    await using stage = await openHost({});
    const nothing = { capabilities: [], context: undefined, maxContext: undefined };
    expect(await stage.host.describe("llama3.2", signal)).toEqual(nothing);
    expect(await stage.host.version(signal)).toBe("OpenAI-compatible");
    expect(stage.host.pull).toBeUndefined();
  });

  test("the context that was set for the host goes before the server's", async () => {
    await using stage = await openHost({ describe: { context: 8_192 } }, { context: 4_096 });
    expect(await stage.host.describe("llama3.2", signal)).toMatchObject({
      context: 4_096,
      maxContext: 8_192,
    });
    expect(await stage.host.loaded(signal)).toEqual([
      { name: "llama3.2", size: 0, sizeVram: 0, context: 4_096 },
    ]);
  });

  test.each([
    ["llama.cpp's second list", { models: [{ name: "m", capabilities: ["completion", "multimodal"] }] }],
    ["a list of words", { capabilities: ["vision", "embedding"] }],
    ["words that are true", { capabilities: { vision: true, fine_tuning: true, function_calling: false } }],
    ["what it reads", { architecture: { input_modalities: ["text", "image"] } }],
  ])("that it sees, by %s", async (_, { models, ...entry }: Record<string, unknown>) => {
    await using page = await openPage(() =>
      Response.json({ data: [{ id: "m", meta: null, ...entry }], models }),
    );
    expect(await page.host.describe("m", signal)).toMatchObject({ capabilities: ["vision"] });
  });

  test("what a slot of llama.cpp takes, what the model was made for, and its size", async () => {
    const meta = { n_ctx: 16_384, n_ctx_train: 131_072, size: 4_912_898_304 };
    await using page = await openPage(() => Response.json({ data: [{ id: "m", meta }] }));
    expect(await page.host.describe("m", signal)).toMatchObject({ context: 16_384, maxContext: 131_072 });
    expect(await page.host.models(signal)).toEqual([{ name: "m", size: 4_912_898_304 }]);
  });
});

test("an image is named by its first bytes", async () => {
  await using stage = await openHost({ answer: ["A cat."] });
  const starts: [string, string][] = [
    ["image/png", "\x89PNG\r\n\x1a\n"],
    ["image/jpeg", "\xff\xd8\xff\xe0"],
    ["image/gif", "GIF89a"],
    ["image/webp", "RIFF\x24\x00\x00\x00WEBPVP8 "],
    ["application/octet-stream", "BM"],
  ];
  const images = starts.map(([, start]) => Uint8Array.from(Buffer.from(start, "latin1")));
  const messages = [{ role: "user" as const, content: "What is this?", images }];
  await Array.fromAsync(stage.host.chat({ model: "llama3.2", messages, keepAlive: 1, signal }));
  const sent = JSON.stringify(stage.server.requests[0]?.body);
  expect([...sent.matchAll(/data:([^;]+);base64/g)].map(([, type]) => type)).toEqual(
    starts.map(([type]) => type),
  );
});
