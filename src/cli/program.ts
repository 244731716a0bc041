import { Command, InvalidArgumentError, Option } from "commander";
import { logFormats, logLevels } from "../config/log-options.ts";
import { commit, version } from "../version.ts";
import { adminCommand } from "./admin.ts";
import type { Globals, Shell } from "./command.ts";
import { filesCommand } from "./files.ts";
import { llmCommand } from "./llm.ts";
import { tokensCommand } from "./tokens.ts";

// What is declared here is all that `wisbot --help` loads; a command's own file is imported when it runs.

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new InvalidArgumentError("Expected a port from 0 (any free one) to 65535.");
}

const list = (text: string) => text.split(",").map((part) => part.trim());

function addInit(program: Command, shell: Shell): void {
  program
    .command("init")
    .description("ask a few questions and write config.yaml")
    .option("--yes", "ask nothing: take defaults and environment", false)
    .option("--force", "write over a config file that exists", false)
    .action(async (options: { yes: boolean; force: boolean }) => {
      const { init } = await import("./init.ts");
      shell.exit(await init({ globals: shell.globals(), ...options }));
    });
}

function addServe(program: Command, shell: Shell): void {
  program
    .command("serve")
    .description("run the bot, the web interface and the jobs")
    .option("--host <host>", "address to listen on, instead of web.host")
    .option("--port <port>", "port to listen on, instead of web.port; 0: any free one", portNumber)
    .option("--no-discord", "leave Discord off")
    .action(async (options: { host?: string; port?: number; discord: boolean }) => {
      const { serve } = await import("./serve.ts");
      shell.exit(await serve({ globals: shell.globals(), ...options }));
    });
}

function addDoctor(program: Command, shell: Shell): void {
  program
    .command("doctor")
    .description("check everything and say how to mend what is wrong")
    .option("--json", "answer for scripts", false)
    .option("--only <codes>", "only these checks, such as discord.token,web.port", list)
    .option("--preflight", "only checks that need nothing beyond this machine", false)
    .action(async (options: { json: boolean; only?: string[]; preflight: boolean }) => {
      const { doctor } = await import("./doctor.ts");
      shell.exit(await doctor({ globals: shell.globals(), ...options }));
    });
}

function addHealth(program: Command, shell: Shell): void {
  program
    .command("health")
    .description("ask the running wisbot whether it lives; for container health checks")
    .action(async () => {
      const { health } = await import("./health.ts");
      shell.exit(await health({ globals: shell.globals() }));
    });
}

function addService(program: Command, shell: Shell): void {
  program
    .command("service")
    .description("run wisbot as a system service")
    .command("print")
    .description("print the systemd unit for this binary and config")
    .action(async () => {
      const { printService } = await import("./service.ts");
      shell.exit(await printService({ globals: shell.globals() }));
    });
}

/** Settings such as the throwing of errors are inherited by `.command()`, not by `.addCommand()`: hand them down. */
function inherit(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    inherit(child);
  }
}

/** The whole command line. Parsing throws commander's errors; `done` is told each command's exit code. */
export function createProgram(done: Shell["exit"]): Command {
  const program = new Command("wisbot")
    .description("A Discord community's own AI and file desk.")
    .version(`wisbot ${version} (${commit})`)
    .addOption(new Option("--config <file>", "config file; default: config.yaml in the usual places"))
    .addOption(new Option("--data-dir <dir>", "folder of database and files"))
    .addOption(new Option("--log-format <format>", "how the log is written").choices(logFormats))
    .addOption(new Option("--log-level <level>", "how much is logged").choices(logLevels))
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      "\nFirst `wisbot init`, then `wisbot serve`. `wisbot doctor` says what is wrong and what mends it.",
    )
    // report.ts tells errors, in one form for all.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  const shell: Shell = { globals: () => program.opts<Globals>(), exit: done };

  addInit(program, shell);
  addServe(program, shell);
  addDoctor(program, shell);
  program.addCommand(filesCommand(shell));
  program.addCommand(tokensCommand(shell));
  program.addCommand(llmCommand(shell));
  program.addCommand(adminCommand(shell));
  addHealth(program, shell);
  addService(program, shell);
  inherit(program);
  return program;
}
