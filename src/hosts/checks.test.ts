import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OllamaOptions, startOllama } from "../testing/ollama.ts";
import { startOpenAi } from "../testing/openai.ts";
import { openTestTelemetry } from "../testing/telemetry.ts";
import { gpuChecks, hostChecks, onGpu } from "./checks.ts";
import { parseNvidiaSmi, parseRocmSmi } from "./gpu.ts";
import { createOllamaHost } from "./ollama.ts";
import { createOpenAiHost } from "./openai.ts";

const GIB = 2 ** 30;
const { signal } = new AbortController();

/** What one check says about the stand-in, after `change`. */
async function ask(code: string, options: OllamaOptions, change: "stop" | "none" = "none", within = signal) {
  await using ollama = await startOllama(options);
  await using opened = await openTestTelemetry();
  const host = createOllamaHost({ name: "local", url: ollama.url, telemetry: opened.telemetry });
  if (change === "stop") await ollama.stop();
  const deps = { hosts: [host], model: "llama3.2" };
  const check = [...hostChecks(deps), ...gpuChecks(deps)].find((one) => one.code === code);
  return await check?.run(within);
}

describe("ollama.reachable", () => {
  test("says the version and the address", async () => {
    expect(await ask("ollama.reachable", {})).toEqual({
      severity: "ok",
      detail: expect.stringMatching(/^Version 0\.\d+\.\d+ at http:\/\/127\.0\.0\.1:\d+\.$/),
    });
  });

  test("a stopped Ollama comes with the command that starts it", async () => {
    expect(await ask("ollama.reachable", {}, "stop")).toMatchObject({
      severity: "fail",
      detail: expect.stringContaining("can't be reached"),
      fix: expect.stringContaining("ollama serve"),
    });
  });

  test("one that takes the connection and stays silent is a failure, not a crash", async () => {
    await using silent = Bun.serve({ port: 0, fetch: () => new Promise<Response>(() => {}) });
    await using opened = await openTestTelemetry();
    const { telemetry } = opened;
    const hosts = [createOllamaHost({ name: "local", url: silent.url.href, telemetry })];
    const [reachable, model] = hostChecks({ hosts, model: "llama3.2" });
    expect(await reachable?.run(AbortSignal.timeout(20))).toMatchObject({
      severity: "fail",
      detail: expect.stringContaining("did not answer"),
    });
    expect(await model?.run(AbortSignal.timeout(20))).toMatchObject({ severity: "skip" });
    await silent.stop(true);
  });

  test("a host elsewhere is not told to start something here", async () => {
    await using opened = await openTestTelemetry();
    const { telemetry } = opened;
    const hosts = [createOllamaHost({ name: "box", url: "http://ann:pw@gpu.invalid:11434", telemetry })];
    const finding = await hostChecks({ hosts, model: "llama3.2" })[0]?.run(signal);
    expect(finding?.fix).toContain("OLLAMA_HOST=0.0.0.0");
    expect(finding?.detail).not.toContain("pw");
  });
});

describe("ollama.model", () => {
  test("a pulled model is ok, with its size", async () => {
    expect(await ask("ollama.model", {})).toEqual({
      severity: "ok",
      detail: "llama3.2:latest, 2.02 GB on disk.",
    });
  });

  test("a missing one comes with what is there and the command that pulls it", async () => {
    const finding = await ask("ollama.model", { models: ["qwen3"] });
    expect(finding).toMatchObject({ severity: "fail", detail: expect.stringContaining("qwen3:latest") });
    expect(finding?.fix).toContain("ollama pull llama3.2");
  });

  test("is left to ollama.reachable when nothing answers", async () => {
    expect(await ask("ollama.model", {}, "stop")).toMatchObject({ severity: "skip" });
  });

  test("an address where something else answers is a failure of its own", async () => {
    await using page = Bun.serve({ port: 0, fetch: () => new Response("<h1>Welcome</h1>") });
    await using opened = await openTestTelemetry();
    const hosts = [createOllamaHost({ name: "local", url: page.url.href, telemetry: opened.telemetry })];
    expect(await hostChecks({ hosts, model: "llama3.2" })[1]?.run(signal)).toMatchObject({
      severity: "fail",
    });
  });
});

describe("several hosts, of both kinds", () => {
  test("each is told by its own name and kind", async () => {
    await using ollama = await startOllama({});
    await using vllm = await startOpenAi({ models: ["llama3.2"] });
    await using opened = await openTestTelemetry();
    const { telemetry } = opened;
    const hosts = [
      createOllamaHost({ name: "local", url: ollama.url, telemetry }),
      createOpenAiHost({ name: "box", url: vllm.url, telemetry }),
    ];
    const deps = { hosts, model: "llama3.2" };
    const found = () =>
      Promise.all(hostChecks(deps).map(async ({ run, ...check }) => ({ ...check, ...(await run(signal)) })));
    expect(await found()).toMatchObject([
      { code: "ollama.reachable", title: 'Ollama "local" answers', severity: "ok" },
      { code: "ollama.model", severity: "ok" },
      { code: "openai.reachable", title: 'Model server "box" answers', severity: "ok" },
      { code: "openai.model", severity: "ok", detail: "llama3.2." },
    ]);
    // Where a model lies is known of Ollama alone.
    expect(gpuChecks(deps).map(({ code }) => code)).toEqual(["gpu.visible", "gpu.used"]);

    await vllm.stop();
    expect((await found()).slice(2)).toMatchObject([
      { severity: "fail", detail: expect.stringContaining('"box"'), fix: expect.stringContaining("/v1") },
      { severity: "skip", detail: "Known once openai.reachable is ok." },
    ]);
  });

  test("one host that has the model is enough, and none is a failure on each", async () => {
    await using ollama = await startOllama({ models: ["qwen3"] });
    await using vllm = await startOpenAi({ models: ["llama3.2"] });
    await using opened = await openTestTelemetry();
    const { telemetry } = opened;
    const hosts = [
      createOllamaHost({ name: "local", url: ollama.url, telemetry }),
      createOpenAiHost({ name: "box", url: vllm.url, telemetry }),
    ];
    const found = async (model: string) => {
      const checks = hostChecks({ hosts, model }).filter(({ code }) => code.endsWith(".model"));
      return await Promise.all(checks.map(({ run }) => run(signal)));
    };
    expect(await found("llama3.2")).toMatchObject([
      { severity: "ok", detail: 'Not here, but on "box".' },
      { severity: "ok" },
    ]);
    expect(await found("mistral")).toMatchObject([{ severity: "fail" }, { severity: "fail" }]);
  });

  test("a server that wants a key is told so", async () => {
    await using closed = Bun.serve({ port: 0, fetch: () => new Response("no", { status: 401 }) });
    await using opened = await openTestTelemetry();
    const url = `${closed.url.origin}/v1`;
    const hosts = [createOpenAiHost({ name: "box", url, telemetry: opened.telemetry })];
    expect(await hostChecks({ hosts, model: "m" })[0]?.run(signal)).toMatchObject({
      severity: "fail",
      detail: expect.stringContaining("did not let WisBot in"),
      fix: expect.stringContaining("headers"),
    });
  });
});

describe("gpu.used", () => {
  test("a model that is wholly on the GPU is ok", async () => {
    expect(await ask("gpu.used", {})).toMatchObject({ severity: "ok" });
  });

  test("one that spills comes with its numbers and a way out", async () => {
    expect(await ask("gpu.used", { onGpu: 0.62 })).toMatchObject({
      severity: "warn",
      detail: expect.stringContaining("62 % (1.25 GB of 2.02 GB)"),
      fix: expect.stringContaining("smaller"),
    });
  });

  test("one that is on the processor alone says so", () => {
    expect(onGpu({ name: "m", size: GIB, sizeVram: 0 })).toMatchObject({
      severity: "warn",
      detail: expect.stringContaining("processor alone"),
    });
  });

  test("nothing is said of a model that is not loaded", async () => {
    expect(await ask("gpu.used", { loaded: [] })).toMatchObject({ severity: "skip" });
  });
});

describe("gpu.visible", () => {
  /** Asks with a PATH on which only these tools are. */
  async function visible(tools: Record<string, string>, within = signal) {
    const folder = await mkdtemp(join(tmpdir(), "wisbot-gpu-"));
    try {
      for (const [name, script] of Object.entries(tools)) {
        await Bun.write(join(folder, name), `#!/bin/sh\n${script}\n`);
        await chmod(join(folder, name), 0o755);
      }
      const [check] = gpuChecks({ hosts: [], model: "llama3.2", env: { PATH: folder } });
      return await check?.run(within);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("names driver and memory, free and total", async () => {
    expect(await visible({ "nvidia-smi": "echo 'NVIDIA H100 PCIe, 550.54.14, 81559, 80994'" })).toEqual({
      severity: "ok",
      detail: "NVIDIA H100 PCIe, driver 550.54.14, 84.9 GB of 85.5 GB memory free",
    });
  });

  test("an AMD card is found where there is no NVIDIA tool", async () => {
    const report = JSON.stringify({ card0: { "Card Series": "Radeon RX 7900 XT" } });
    expect(await visible({ "rocm-smi": `echo '${report}'` })).toEqual({
      severity: "ok",
      detail: "Radeon RX 7900 XT, driver unknown, unknown of unknown memory free",
    });
  });

  test("without a tool it warns", async () => {
    expect(await visible({})).toMatchObject({ severity: "warn", fix: expect.any(String) });
  });

  test("a driver that does not answer its tool is said in the tool's own words", async () => {
    const words = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";
    expect(await visible({ "nvidia-smi": `echo "${words}"; exit 9` })).toMatchObject({
      severity: "warn",
      detail: `nvidia-smi failed: ${words}`,
    });
  });

  test("a broken NVIDIA tool does not hide an AMD card", async () => {
    const finding = await visible({ "nvidia-smi": "exit 9", "rocm-smi": `echo '{"card0": {}}'` });
    expect(finding).toMatchObject({ severity: "ok", detail: expect.stringContaining("card0") });
  });

  test("a tool that hangs is given up", async () => {
    const abort = new AbortController();
    const asked = visible({ "nvidia-smi": "while :; do :; done" }, abort.signal);
    setImmediate(() => abort.abort());
    expect(await asked).toMatchObject({
      severity: "warn",
      detail: expect.stringContaining("did not answer"),
    });
  });

  test("output that is not the tool's is quoted", async () => {
    expect(await visible({ "nvidia-smi": "echo hello" })).toMatchObject({
      severity: "warn",
      detail: expect.stringContaining("hello"),
    });
  });
});

describe("the tools' output", () => {
  test("several NVIDIA GPUs, one without memory of its own", () => {
    const output = "NVIDIA GeForce RTX 3090, 550.54.14, 24576, 23210\nNVIDIA GB10, 580.95.05, [N/A], [N/A]\n";
    expect(parseNvidiaSmi(output)).toEqual([
      {
        name: "NVIDIA GeForce RTX 3090",
        driver: "550.54.14",
        memoryTotal: 24 * GIB,
        memoryFree: 23_210 * 2 ** 20,
      },
      { name: "NVIDIA GB10", driver: "580.95.05", memoryTotal: undefined, memoryFree: undefined },
    ]);
    expect(parseNvidiaSmi("\n")).toEqual([]);
  });

  test("an AMD GPU with its driver, after a warning", () => {
    const output = `WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status

{"card0": {"VRAM Total Memory (B)": "21458059264", "VRAM Total Used Memory (B)": "27856896",
"Card Series": "Radeon RX 7900 XT", "Card Model": "0x744c", "GFX Version": "gfx1100"},
"system": {"Driver version": "6.8.5"}}`;
    expect(parseRocmSmi(output)).toEqual([
      {
        name: "Radeon RX 7900 XT",
        driver: "6.8.5",
        memoryTotal: 21_458_059_264,
        memoryFree: 21_458_059_264 - 27_856_896,
      },
    ]);
    expect(parseRocmSmi("WARNING: No JSON data to report\n")).toEqual([]);
  });
});
