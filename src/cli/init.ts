import { existsSync } from "node:fs";
import { loadConfig } from "../config/load.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { type Location, locateConfig } from "../config/locate.ts";
import { writeConfig } from "../config/write.ts";
import { WisError } from "../errors.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { type Answers, defaultAnswers, settingsFrom } from "./init-answers.ts";
import { note, print } from "./output.ts";

export interface InitInput {
  globals: Globals;
  yes: boolean;
  force: boolean;
}

/** The wizard's answers; undefined when the person left it, by Ctrl-C or by saying no at its end. */
async function fromWizard(defaults: LoadedConfig, file: string): Promise<Answers | undefined> {
  const { askAnswers } = await import("./init-wizard.ts");
  try {
    return await askAnswers(defaults, file);
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError") return undefined;
    throw error;
  }
}

/** The file to write: what was named, else config.yaml right here, whatever other places hold one. */
function target(globals: Globals): Location {
  const found = locateConfig({ flags: globals, env: process.env, cwd: process.cwd() });
  if (found.named) return found;
  const file = `${process.cwd()}/config.yaml`;
  return { file, exists: existsSync(file), named: false };
}

function tellNext({ file, named }: Location, { inviteUrl, token }: Answers): void {
  const wisbot = named ? `wisbot --config ${file}` : "wisbot";
  print(`Wrote ${file}, which only you can read, and config.schema.json beside it.`);
  if (inviteUrl !== undefined) print(`Invite the bot:  ${inviteUrl}`);
  if (token === undefined) print("Discord is off:  put a bot token into it, or set $DISCORD_TOKEN.");
  print(`Check it all:    ${wisbot} doctor`);
  print(`Start it:        ${wisbot} serve`);
}

/** `wisbot init`: writes config.yaml from answers, or with --yes from environment and defaults. [config.exists] */
export async function init({ globals, yes, force }: InitInput): Promise<ExitCode> {
  const place = target(globals);
  if (place.exists && !force) {
    throw new WisError("config.exists", {
      say: `${place.file} exists already; it was left as it is.`,
      hint: "Edit it, or write a new one over it with --force.",
    });
  }
  // Inquirer spins at full speed on a stdin that is closed (Bun 1.4.5): never open it there.
  if (!yes && process.stdin.isTTY !== true) {
    throw new WisError("usage", {
      say: "The questions need a terminal, and this is none.",
      hint: "wisbot init --yes takes the defaults and what the environment sets.",
    });
  }
  const source = {
    flags: globals,
    env: process.env,
    cwd: process.cwd(),
    missingIsFine: true,
    withoutFile: true,
  };
  const defaults = await loadConfig(source);
  const answers = yes ? await defaultAnswers(defaults) : await fromWizard(defaults, place.file);
  if (answers === undefined) {
    note("Nothing was written.");
    return exit.failed;
  }
  await writeConfig(place.file, { settings: settingsFrom(answers), overwrite: force });
  tellNext(place, answers);
  return exit.ok;
}
