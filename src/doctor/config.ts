import { stat } from "node:fs/promises";
import type { LoadedConfig } from "../config/loaded.ts";
import type { WisError } from "../errors.ts";
import type { Check, Finding } from "./ports.ts";

/** What loading the configuration gave. */
export type ConfigOutcome = { loaded: LoadedConfig } | { refused: WisError };

function validity(outcome: ConfigOutcome): Finding {
  if ("refused" in outcome) {
    const { say, hint } = outcome.refused;
    return { severity: "fail", detail: say, ...(hint !== undefined && { fix: hint }) };
  }
  const { file } = outcome.loaded;
  if (file !== undefined) return { severity: "ok", detail: `${file} is valid.` };
  return {
    severity: "ok",
    detail: "There is no config file: the defaults hold, and wisbot init writes one.",
  };
}

const OTHERS_CAN_WRITE = 0o022;

async function privacy(outcome: ConfigOutcome): Promise<Finding> {
  const file = "loaded" in outcome ? outcome.loaded.file : undefined;
  if (file === undefined) return { severity: "skip", detail: "There is no valid config file to look at." };
  const { mode } = await stat(file);
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  if ((mode & OTHERS_CAN_WRITE) === 0) return { severity: "ok", detail: `Mode ${octal}.` };
  return {
    severity: "warn",
    detail: `Others than its owner can change ${file} (mode ${octal}).`,
    fix: `Run: chmod go-w ${file}`,
  };
}

/** Whether the configuration is valid, with every problem when it is not, and its file its owner's. */
export function configChecks(outcome: ConfigOutcome): Check[] {
  return [
    { code: "config.valid", title: "Configuration", offline: true, run: async () => validity(outcome) },
    { code: "config.private", title: "Config file", offline: true, run: () => privacy(outcome) },
  ];
}
