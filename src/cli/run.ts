import { type Command, CommanderError } from "commander";
import { WisError } from "../errors.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { createProgram } from "./program.ts";
import { exitCodeOf, tellError } from "./report.ts";

/** The command that `argv` names, as deep as it names one: whose --help is worth a look. */
function commandIn(program: Command, argv: readonly string[]): Command {
  return argv.reduce<Command>(
    (command, word) => command.commands.find((child) => child.name() === word) ?? command,
    program,
  );
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** `error: unknown command 'srve'\n(Did you mean serve?)` in our words. */
function usageError(error: CommanderError, help: string): WisError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const meant = /\(Did you mean (.*)\?\)/.exec(rest.join(" "))?.[1];
  const say = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.$/, "")}.`;
  return new WisError("usage", {
    say,
    hint: meant === undefined ? help : `${meant}, or ${help}`,
    cause: error,
  });
}

/**
 * Runs the command line `argv` (without the program's own name) and gives the exit code. Throws nothing: what fails is
 * told on stderr.
 */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  let code: ExitCode = exit.ok;
  const program = createProgram((given) => {
    code = given;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exit.ok;
    const command = commandIn(program, argv);
    // Nothing but `wisbot`, or `wisbot files`: commander has shown the help on stderr.
    if (thrown instanceof CommanderError && thrown.code === "commander.help") return exit.usage;
    const error = thrown instanceof CommanderError ? usageError(thrown, `${pathOf(command)} --help`) : thrown;
    const { logLevel = env.WISBOT_LOG__LEVEL } = program.opts<Globals>();
    tellError(error, { debug: logLevel === "debug" });
    return exitCodeOf(error);
  }
}
