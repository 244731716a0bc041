import { defaultConfig, loadConfig } from "../config/load.ts";
import { type ConfigOutcome, configChecks } from "../doctor/config.ts";
import type { Check, Severity } from "../doctor/ports.ts";
import { type CheckResult, runChecks } from "../doctor/run.ts";
import { isWisError } from "../errors.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { note, paint, print, printJson } from "./output.ts";
import { fullText } from "./report.ts";

export interface DoctorInput {
  globals: Globals;
  json: boolean;
  /** Codes of the checks to run; missing: all. */
  only?: string[];
  preflight: boolean;
}

async function loadOutcome(globals: Globals): Promise<ConfigOutcome> {
  try {
    return { loaded: await loadConfig({ flags: globals, env: process.env, cwd: process.cwd() }) };
  } catch (error) {
    if (isWisError(error, "config.invalid", "config.missing")) return { refused: error };
    throw error;
  }
}

/** A check that can't be asked, because it would ask about a configuration that does not hold. */
function skipped(check: Check): Check {
  const detail = "Not asked: the configuration is not valid.";
  return { ...check, run: async () => ({ severity: "skip", detail }) };
}

async function allChecks(outcome: ConfigOutcome): Promise<Check[]> {
  const { checksFor } = await import("../app.ts");
  if ("loaded" in outcome) return [...configChecks(outcome), ...checksFor(outcome.loaded)];
  return [...configChecks(outcome), ...checksFor(defaultConfig(process.cwd())).map(skipped)];
}

type Style = Parameters<typeof paint>[0];

const looks: Record<Severity, { mark: string; style: Style; count: string }> = {
  ok: { mark: "✓", style: "green", count: "fine" },
  warn: { mark: "!", style: "yellow", count: "to look at" },
  fail: { mark: "✗", style: "red", count: "failed" },
  crash: { mark: "✗", style: "magenta", count: "crashed" },
  skip: { mark: "–", style: "dim", count: "skipped" },
};

function findingLines({ code, severity, title, detail, fix }: CheckResult, width: number): string[] {
  const { mark, style } = looks[severity];
  const indent = " ".repeat(width + 5);
  const [first = "", ...rest] = detail.split("\n");
  return [
    `  ${paint(style, mark)} ${code.padEnd(width)} ${title}: ${first}`,
    ...rest.map((line) => `${indent}${line}`),
    ...(fix === null ? [] : [`${indent}${paint("cyan", "→")} ${fix}`]),
  ];
}

/** Findings by part, then how many there are of each kind. */
function render(results: readonly CheckResult[]): string {
  const width = Math.max(0, ...results.map(({ code }) => code.length));
  const parts = Map.groupBy(results, ({ code }) => code.split(".")[0] ?? code);
  const groups = [...parts].map(([part, found]) =>
    [paint("bold", part), ...found.flatMap((one) => findingLines(one, width))].join("\n"),
  );
  const counts = Object.entries(looks).flatMap(([severity, { count, style }]) => {
    const number = results.filter((one) => one.severity === severity).length;
    return number === 0 ? [] : [paint(style, `${number} ${count}`)];
  });
  return [...groups, counts.join(", ")].join("\n\n");
}

/** `wisbot doctor`: every check with its fix. 78 on a bad config, 1 when something failed or crashed. */
export async function doctor({ globals, json, only, preflight }: DoctorInput): Promise<ExitCode> {
  const outcome = await loadOutcome(globals);
  const results = await runChecks(await allChecks(outcome), {
    only,
    preflight,
    signal: new AbortController().signal,
    onCrash: (error) => globals.logLevel === "debug" && note(fullText(error)),
  });
  if (json) printJson(results);
  else print(render(results));
  if ("refused" in outcome) return exit.config;
  return results.some(({ severity }) => severity === "fail" || severity === "crash") ? exit.failed : exit.ok;
}
