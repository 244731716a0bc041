import { expect, test } from "bun:test";
import { Ollama } from "ollama";
import { startOllama } from "./ollama.ts";

const ask = (content: string) => ({ model: "llama3.2", messages: [{ role: "user", content }] });

test("the real client reads the version, the models and what is loaded", async () => {
  await using ollama = await startOllama({ onGpu: 0.5 });
  const client = new Ollama({ host: ollama.url });
  expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await client.list()).models.map(({ name }) => name)).toEqual(["llama3.2:latest"]);
  const [model] = (await client.ps()).models;
  expect(model?.size_vram).toBeCloseTo((model?.size ?? 0) / 2, -1);
  expect((await client.show({ model: "llama3.2" })).capabilities).toContain("completion");
});

test("an answer streams token by token and ends with its counts", async () => {
  await using ollama = await startOllama({ answer: (prompt) => [...prompt] });
  const client = new Ollama({ host: ollama.url });
  const parts = await Array.fromAsync(await client.chat({ ...ask("abc"), stream: true }));
  expect(parts.map(({ message }) => message.content)).toEqual(["a", "b", "c", ""]);
  expect(parts.at(-1)).toMatchObject({ done: true, done_reason: "stop", eval_count: 3 });
  expect((await client.chat(ask("abc"))).message.content).toBe("abc");
});

test("a test writes the tokens itself, so that it never sleeps", async () => {
  await using ollama = await startOllama({ manual: true, loaded: [] });
  const stream = await Promise.all([
    new Ollama({ host: ollama.url }).chat({ ...ask("hi"), stream: true }),
    ollama.emit("one"),
  ]).then(([parts]) => parts[Symbol.asyncIterator]());
  expect((await stream.next()).value?.message.content).toBe("one");
  await ollama.emit("two");
  expect((await stream.next()).value?.message.content).toBe("two");
  expect(ollama.open).toBe(1);
});

test("a missing model is Ollama's 404", async () => {
  await using ollama = await startOllama({ models: [] });
  await expect(new Ollama({ host: ollama.url }).chat(ask("hi"))).rejects.toMatchObject({
    status_code: 404,
    message: "model 'llama3.2' not found",
  });
});

test("a client that leaves is counted", async () => {
  await using ollama = await startOllama({ manual: true });
  const asked = new Ollama({ host: ollama.url }).chat({ ...ask("hi"), stream: true });
  const chat = await ollama.nextChat();
  await chat.token("one");
  (await asked).abort();
  await new Promise((gone) => chat.closed.addEventListener("abort", gone, { once: true }));
  expect(ollama.aborted).toBe(1);
});

test("loading and a rate take their time, and stopping does not wait for them", async () => {
  await using ollama = await startOllama({ loaded: [], loadMs: 20, answer: ["a", "b"], tokensPerSecond: 50 });
  const client = new Ollama({ host: ollama.url });
  const started = performance.now();
  expect((await client.chat(ask("hi"))).message.content).toBe("ab");
  expect(performance.now() - started).toBeGreaterThanOrEqual(35);
  expect((await client.ps()).models).toHaveLength(1);
  ollama.set({ loaded: [], loadMs: 60_000 });
  const left = client.chat(ask("hi")).catch((error: unknown) => error);
  await ollama.nextChat();
  await ollama.nextChat();
  await ollama.stop();
  expect(await left).toBeInstanceOf(Error);
});
