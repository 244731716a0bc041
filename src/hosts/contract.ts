import { expect, test } from "bun:test";
import { causeChain, type ErrorCode } from "../errors.ts";
import type { Capability, ChatChunk, ModelHost } from "../llm/ports.ts";

/** Ways in which a model server fails; each `ModelHost` tells them apart. */
export type HostTrouble =
  | "stopped"
  | "model missing"
  | "busy"
  | "cut after a token"
  | "short of the length that it announced"
  | "unfinished after a token"
  | "error after a token"
  | "nonsense after a token"
  | "refused"
  | "silent"
  | "stalled after a token";

/** A host under test, in front of a server that does as it is told. */
export interface HostStage extends AsyncDisposable {
  host: ModelHost;
  /** One that the server has. */
  model: string;
  /** What the server had last. */
  received(): { headers: Record<string, unknown>; images: Uint8Array[] } | undefined;
  /** Called when a token has been read. A connection that breaks may take with it what was not read yet. */
  tokenRead(): void;
  /** Resolves when the server has the next question. */
  asked(): Promise<void>;
  /** How many of its answers were left before their end. Resolves once it has noticed at least one. */
  leftEarly(): Promise<number>;
}

export interface HostStageOptions {
  /** What it streams, token by token. */
  answer: (string | { thinking: string })[];
  trouble?: HostTrouble;
  /** What the server tells about its model. */
  describe?: { capabilities: Capability[]; context: number; maxContext: number };
  /** What the host is to send. */
  headers: Record<string, string>;
}

/** A server that refuses, or fails in the middle, says it in its own words: some servers do. */
export const hostSecret = "sk-0123456789abcdef";

const headers = { Authorization: `Bearer ${hostSecret}` };
const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]);
const jpeg = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]);

const expected: [HostTrouble, ErrorCode, string][] = [
  ["stopped", "llm.unreachable", ""],
  ["model missing", "llm.model_missing", ""],
  ["busy", "llm.host_busy", ""],
  ["refused", "llm.bad_reply", ""],
  ["cut after a token", "llm.cut", "one"],
  ["short of the length that it announced", "llm.cut", "one"],
  ["unfinished after a token", "llm.cut", "one"],
  ["error after a token", "llm.cut", "one"],
  ["nonsense after a token", "llm.bad_reply", "one"],
];

/** What every driver of the ModelHost port promises. Called from a driver's own test file. */
export function hostContract(openStage: (options: HostStageOptions) => Promise<HostStage>): void {
  const open = (options: Omit<HostStageOptions, "headers">) => openStage({ ...options, headers });
  const request = ({ model }: HostStage, signal = new AbortController().signal) => ({
    model,
    messages: [{ role: "user" as const, content: "Say it." }],
    keepAlive: 60_000,
    signal,
  });

  test("every token arrives in order, then the counts", async () => {
    const answer = Array.from({ length: 500 }, (_, index) => `${index} ünï 🎈\n`);
    await using stage = await open({ answer });
    const chunks = await Array.fromAsync(stage.host.chat(request(stage)));
    expect(textOf(chunks)).toBe(answer.join(""));
    expect(chunks.at(-1)).toMatchObject({ type: "done", usage: { outputTokens: 500 } });
    expect(chunks.filter(({ type }) => type === "done")).toHaveLength(1);
  });

  test("what a model thinks comes apart from what it says", async () => {
    await using stage = await open({
      answer: [{ thinking: "A greeting. " }, { thinking: "Short." }, "Hello"],
    });
    expect(await Array.fromAsync(stage.host.chat(request(stage)))).toMatchObject([
      { type: "thinking", text: "A greeting. " },
      { type: "thinking", text: "Short." },
      { type: "text", text: "Hello" },
      { type: "done", reason: "stop" },
    ]);
  });

  test("images reach the server whole, and the question stays as it was", async () => {
    await using stage = await open({ answer: ["one"] });
    const asked = request(stage);
    const messages = [{ role: "user" as const, content: "What is this?", images: [png, jpeg] }];
    for (const _ of [1, 2]) await Array.fromAsync(stage.host.chat({ ...asked, messages }));
    expect(stage.received()?.images).toEqual([png, jpeg]);
    expect(messages[0]?.images).toEqual([png, jpeg]);
  });

  test("its headers go with every request", async () => {
    await using stage = await open({ answer: ["one"] });
    const { host, model } = stage;
    const { signal } = new AbortController();
    const requests = [
      () => Array.fromAsync(host.chat(request(stage))),
      () => host.models(signal),
      () => host.loaded(signal),
      () => host.describe(model, signal),
      () => host.version(signal),
    ];
    for (const ask of requests) {
      await ask();
      expect(stage.received()?.headers).toMatchObject({ authorization: `Bearer ${hostSecret}` });
    }
  });

  for (const [trouble, code, kept] of expected) {
    test(`a server that is ${trouble} is ${code}, and what came before is kept`, async () => {
      await using stage = await open({ answer: ["one", "two"], trouble });
      const { text, error } = await read(stage.host.chat(request(stage)), stage.tokenRead);
      expect(text).toBe(kept);
      expect(error).toMatchObject({ name: "WisError", code });
      expect(error).toHaveProperty("cause");
      expect(Bun.inspect(causeChain(error))).not.toContain(hostSecret);
    });
  }

  for (const trouble of ["silent", "stalled after a token"] as const) {
    test(`aborting while the server is ${trouble} rejects with the reason and ends the request`, async () => {
      await using stage = await open({ answer: ["one", "two"], trouble });
      const abort = new AbortController();
      const asked = read(stage.host.chat(request(stage, abort.signal)), () =>
        abort.abort(new Error("enough")),
      );
      await stage.asked();
      if (trouble === "silent") abort.abort(new Error("enough"));
      expect((await asked).error).toMatchObject({ message: "enough" });
      expect(await stage.leftEarly()).toBe(1);
    });
  }

  test("leaving the answer ends the request", async () => {
    await using stage = await open({ answer: ["one", "two"], trouble: "stalled after a token" });
    for await (const chunk of stage.host.chat(request(stage))) {
      expect(chunk).toEqual({ type: "text", text: "one" });
      break;
    }
    expect(await stage.leftEarly()).toBe(1);
  });

  test("a signal that is aborted already asks nothing", async () => {
    await using stage = await open({ answer: ["one"] });
    const signal = AbortSignal.abort(new Error("too late"));
    expect((await read(stage.host.chat(request(stage, signal)))).error).toMatchObject({
      message: "too late",
    });
    await expect(stage.host.models(signal)).rejects.toThrow("too late");
  });

  test("it names its models, what is loaded and its version", async () => {
    await using stage = await open({ answer: [] });
    const { signal } = new AbortController();
    expect((await stage.host.models(signal)).map(({ name }) => name)).toContain(stage.model);
    expect(await stage.host.loaded(signal)).toContainEqual(
      expect.objectContaining({
        name: stage.model,
        size: expect.any(Number),
        sizeVram: expect.any(Number),
      }),
    );
    expect(await stage.host.version(signal)).not.toBe("");
  });

  test("it tells what a model can do, and of one that it lacks that it is missing", async () => {
    const describe = { capabilities: ["vision" as const], context: 8_192, maxContext: 131_072 };
    await using stage = await open({ answer: [], describe });
    const { signal } = new AbortController();
    expect(await stage.host.describe(stage.model, signal)).toEqual(describe);
    await expect(stage.host.describe("unheard-of", signal)).rejects.toMatchObject({
      code: "llm.model_missing",
    });
  });

  test("a server that is stopped has no version", async () => {
    await using stage = await open({ answer: [], trouble: "stopped" });
    const { signal } = new AbortController();
    await expect(stage.host.version(signal)).rejects.toMatchObject({ code: "llm.unreachable" });
  });
}

/** What a server sent, as a network may cut it. */
export async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function textOf(chunks: ChatChunk[]): string {
  return chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");
}

/** What came, and what ended it. */
async function read(chunks: AsyncIterable<ChatChunk>, onText = () => {}) {
  const came: ChatChunk[] = [];
  try {
    for await (const chunk of chunks) {
      came.push(chunk);
      onText();
    }
  } catch (error) {
    return { text: textOf(came), error };
  }
  return { text: textOf(came), error: undefined };
}
