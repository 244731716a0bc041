import type { Check, Finding } from "../doctor/ports.ts";
import { isWisError, toWisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import { sameModel } from "../llm/model-name.ts";
import type { HostModel, LoadedModel, ModelHost } from "../llm/ports.ts";
import { type Gpu, type GpuTool, gpuTools } from "./gpu.ts";

type Environment = Record<string, string | undefined>;

export interface HostChecksDeps {
  hosts: readonly ModelHost[];
  /** The configured model. */
  model: string;
}

export interface GpuChecksDeps extends HostChecksDeps {
  /** Its PATH is where the vendors' tools are looked for. Default the process's. */
  env?: Environment;
}

/** Under doctor's own limit of 5 s, so that silence is reported as what it is. */
const LIMIT_MS = 4_000;

const called = { ollama: "Ollama", openai: "Model server" };

/** Whether every model server answers, and whether the model is where it can be asked. */
export function hostChecks({ hosts, model }: HostChecksDeps): Check[] {
  return hosts.flatMap((host) => [
    {
      code: `${host.kind}.reachable`,
      title: `${called[host.kind]} "${host.name}" answers`,
      offline: false,
      run: (signal) => checkReachable(host, within(signal)),
    },
    {
      code: `${host.kind}.model`,
      title: `${called[host.kind]} "${host.name}" has the model ${model}`,
      offline: false,
      run: (signal) => checkModel(host, hosts, model, within(signal)),
    },
  ]);
}

/** Whether this machine has a GPU, and whether the model runs on one. */
export function gpuChecks({ hosts, model, env = process.env }: GpuChecksDeps): Check[] {
  return [
    {
      code: "gpu.visible",
      title: "A GPU is visible here",
      offline: true,
      run: (signal) => checkVisible(env, within(signal)),
    },
    ...hosts.filter(tellsMemory).map((host) => ({
      code: "gpu.used",
      title: `Ollama "${host.name}" runs the model on the GPU`,
      offline: false,
      run: (signal: AbortSignal) => checkUsed(host, model, within(signal)),
    })),
  ];
}

/** Of the kinds that there are, only Ollama says where a model lies. */
function tellsMemory({ kind }: ModelHost): boolean {
  return kind === "ollama";
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
}

async function checkReachable(host: ModelHost, signal: AbortSignal): Promise<Finding> {
  try {
    const version = await host.version(signal);
    const said = host.kind === "ollama" ? `Version ${version}` : version;
    return { severity: "ok", detail: `${said} at ${address(host)}.` };
  } catch (error) {
    const detail = signal.aborted
      ? `"${host.name}" at ${address(host)} did not answer within ${LIMIT_MS / 1000} s.`
      : `${address(host)}: ${toWisError(error).say}`;
    return { severity: "fail", detail, fix: howToStart(host) };
  }
}

function howToStart(host: ModelHost): string {
  if (host.kind === "openai")
    return "See that it runs, that its url in llm.hosts is where /chat/completions follows, such as http://127.0.0.1:8000/v1, and that its headers there have the key that it wants.";
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(new URL(host.url).hostname);
  if (local)
    return "Start it with `ollama serve` or `systemctl start ollama`; if it listens elsewhere, correct llm.hosts in config.yaml.";
  return "See that Ollama runs there and listens beyond its own machine (OLLAMA_HOST=0.0.0.0), and that no firewall is in between; or correct llm.hosts in config.yaml.";
}

async function checkModel(
  host: ModelHost,
  hosts: readonly ModelHost[],
  model: string,
  signal: AbortSignal,
): Promise<Finding> {
  return judged(host, signal, async () => {
    const models = await host.models(signal);
    const there = find(models, model);
    if (there) return { severity: "ok", detail: describeModel(there) };
    const elsewhere = await holdersOf(
      hosts.filter((other) => other !== host),
      model,
      signal,
    );
    if (elsewhere.length === 0) return missing(host, models, model);
    return { severity: "ok", detail: `Not here, but on ${elsewhere.map((name) => `"${name}"`).join(", ")}.` };
  });
}

/** The names of the hosts that have it. One that does not answer is told by its own checks. */
async function holdersOf(hosts: ModelHost[], model: string, signal: AbortSignal): Promise<string[]> {
  const asked = hosts.map(async (host) => (find(await host.models(signal), model) ? [host.name] : []));
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

function find<T extends Pick<HostModel, "name">>(models: T[], model: string): T | undefined {
  return models.find(({ name }) => sameModel(name, model));
}

function describeModel({ name, size }: HostModel): string {
  return size === 0 ? `${name}.` : `${name}, ${formatBytes(size)} on disk.`;
}

function missing({ kind }: ModelHost, models: HostModel[], model: string): Finding {
  const names = models.map(({ name }) => name).join(", ");
  const fetchIt =
    kind === "ollama" ? `Run on that machine: ollama pull ${model}` : "Start it with that model";
  return {
    severity: "fail",
    detail: `The model ${model} is not there. ${names ? `There are: ${names}.` : "There is none at all."}`,
    fix: `${fetchIt}${names ? "; or set llm.model to one that is there" : ""}`,
  };
}

async function checkUsed(host: ModelHost, model: string, signal: AbortSignal): Promise<Finding> {
  return judged(host, signal, async () => {
    const running = find(await host.loaded(signal), model);
    if (running) return onGpu(running);
    return {
      severity: "skip",
      detail: `${model} is not loaded right now: ask it something, then look again.`,
    };
  });
}

/** What `size_vram` against `size` says. */
export function onGpu({ name, size, sizeVram }: LoadedModel): Finding {
  if (sizeVram >= size) return { severity: "ok", detail: `${name} is on it, all ${formatBytes(size)}.` };
  const share = `${Math.round((100 * sizeVram) / size)} % (${formatBytes(sizeVram)} of ${formatBytes(size)})`;
  if (sizeVram === 0) {
    return {
      severity: "warn",
      detail: `${name} runs on the processor alone, which is many times slower.`,
      fix: "If the machine has a GPU, let Ollama see it: install its driver (in a container the GPU toolkit too) and restart Ollama; its log says what it found.",
    };
  }
  return {
    severity: "warn",
    detail: `Only ${share} of ${name} is on it; the rest runs on the processor and slows every answer.`,
    fix: "Take a smaller model or a smaller quantisation, a shorter context (OLLAMA_CONTEXT_LENGTH), or end what else uses the GPU's memory.",
  };
}

async function checkVisible(env: Environment, signal: AbortSignal): Promise<Finding> {
  const failures: Finding[] = [];
  for (const tool of gpuTools) {
    const path = Bun.which(tool.command, { PATH: env.PATH ?? "" });
    if (path === null) continue;
    const finding = await askTool(tool, path, env, signal);
    if (finding.severity === "ok") return finding;
    failures.push(finding);
  }
  return failures[0] ?? noTool;
}

async function askTool(
  { command, args, parse }: GpuTool,
  path: string,
  env: Environment,
  signal: AbortSignal,
): Promise<Finding> {
  const fix = `Run ${command} by hand. If it fails there too, reinstall the GPU's driver or restart the machine.`;
  try {
    const { code, output } = await run([path, ...args], env, signal);
    if (code !== 0) return { severity: "warn", detail: `${command} failed: ${firstLine(output)}`, fix };
    const gpus = parse(output);
    if (gpus.length > 0) return { severity: "ok", detail: gpus.map(describe).join("; ") };
    return { severity: "warn", detail: `${command} is installed and sees no GPU.`, fix };
  } catch (error) {
    const detail = signal.aborted
      ? `${command} did not answer within ${LIMIT_MS / 1000} s.`
      : `${command} printed something unexpected: ${firstLine(String(error))}`;
    return { severity: "warn", detail, fix };
  }
}

async function run(command: string[], env: Environment, signal: AbortSignal) {
  signal.throwIfAborted();
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  // A tool that hangs in its driver can't be waited for, not even after the kill.
  const tool = Bun.spawn(command, { env, stdin: "ignore", signal, killSignal: "SIGKILL" });
  try {
    const [code, output] = await Promise.race([
      Promise.all([tool.exited, new Response(tool.stdout).text()]),
      late.promise,
    ]);
    return { code, output };
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function describe({ name, driver, memoryTotal, memoryFree }: Gpu): string {
  const free = memoryFree === undefined ? "unknown" : formatBytes(memoryFree);
  const total = memoryTotal === undefined ? "unknown" : formatBytes(memoryTotal);
  return `${name}, driver ${driver ?? "unknown"}, ${free} of ${total} memory free`;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

/** Judges what a host says. That it says nothing at all is for its `reachable` to report. */
async function judged(host: ModelHost, signal: AbortSignal, judge: () => Promise<Finding>): Promise<Finding> {
  try {
    return await judge();
  } catch (error) {
    if (signal.aborted || isWisError(error, "llm.unreachable")) {
      return { severity: "skip", detail: `Known once ${host.kind}.reachable is ok.` };
    }
    const { say, cause } = toWisError(error);
    return {
      severity: "fail",
      detail: `${say} ${cause instanceof Error ? cause.message : ""}`.trim(),
      fix:
        host.kind === "ollama"
          ? "See that the address in llm.hosts is Ollama's own, and update Ollama if it is old."
          : howToStart(host),
    };
  }
}

const noTool: Finding = {
  severity: "warn",
  detail: "Neither nvidia-smi nor rocm-smi is here, so no GPU is known on this machine.",
  fix: "If Ollama runs here, install the GPU's driver: without a GPU answers are slow. If it runs elsewhere, gpu.used tells whether it uses one.",
};

/** Its address without a password. */
function address({ url }: ModelHost): string {
  return new URL(url).origin;
}
