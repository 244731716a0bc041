import { z } from "zod";

/** One GPU, as its vendor's tool shows it. Sizes in bytes; undefined where the tool does not say. */
export interface Gpu {
  name: string;
  driver: string | undefined;
  memoryTotal: number | undefined;
  memoryFree: number | undefined;
}

/** A tool that lists GPUs, and how its output is read. */
export interface GpuTool {
  command: string;
  args: readonly string[];
  /** Throws for output that is not the tool's. */
  parse(output: string): Gpu[];
}

const MIB = 2 ** 20;

/** Lines such as `NVIDIA GeForce RTX 3090, 550.54.14, 24576, 23210`: sizes in MiB, `[N/A]` where there is none. */
export function parseNvidiaSmi(output: string): Gpu[] {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const [name = "", driver, total, free, ...rest] = line.split(",").map((cell) => cell.trim());
    if (free === undefined || rest.length > 0) throw new Error(`nvidia-smi printed: ${line}`);
    return { name, driver, memoryTotal: mebibytes(total), memoryFree: mebibytes(free) };
  });
}

function mebibytes(cell: string | undefined): number | undefined {
  const value = Number(cell);
  return Number.isFinite(value) ? value * MIB : undefined;
}

const card = z.object({
  "Card Series": z.string().optional(),
  "Card series": z.string().optional(),
  "Device Name": z.string().optional(),
  "VRAM Total Memory (B)": z.coerce.number().optional(),
  "VRAM Total Used Memory (B)": z.coerce.number().optional(),
});
const system = z.object({ "Driver version": z.string() });
const report = z.record(z.string(), z.unknown());

/** An object with a key for each `card0`, `card1`, …, and `system` for the driver. Warnings may stand before it. */
export function parseRocmSmi(output: string): Gpu[] {
  const start = output.indexOf("{");
  if (start === -1) return [];
  const all = report.parse(JSON.parse(output.slice(start)));
  const driver = system.safeParse(all.system).data?.["Driver version"];
  const cards = Object.entries(all).filter(([key]) => key.startsWith("card"));
  return cards.map(([key, value]) => {
    const seen = card.parse(value);
    const total = seen["VRAM Total Memory (B)"];
    const used = seen["VRAM Total Used Memory (B)"];
    return {
      name: seen["Card Series"] ?? seen["Card series"] ?? seen["Device Name"] ?? key,
      driver,
      memoryTotal: total,
      memoryFree: total === undefined || used === undefined ? undefined : total - used,
    };
  });
}

export const gpuTools: readonly GpuTool[] = [
  {
    command: "nvidia-smi",
    args: ["--query-gpu=name,driver_version,memory.total,memory.free", "--format=csv,noheader,nounits"],
    parse: parseNvidiaSmi,
  },
  {
    command: "rocm-smi",
    args: ["--showproductname", "--showdriverversion", "--showmeminfo", "vram", "--json"],
    parse: parseRocmSmi,
  },
];
