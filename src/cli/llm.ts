import { Argument, Command, InvalidArgumentError, Option } from "commander";
import type { Shell } from "./command.ts";
import { jsonOption, wholeNumber } from "./options.ts";

/** Rows that are held in memory at once. */
const MAX_HISTORY = 10_000;

function discordId(text: string): string {
  if (/^\d{17,20}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a Discord id of 17 to 20 digits.");
}

const userArgument = () => new Argument("<user>", "Discord user id").argParser(discordId);
const userOption = () => new Option("--user <id>", "only of this Discord user id").argParser(discordId);
const serverOption = () => new Option("--server <id>", "only of this Discord server id").argParser(discordId);

/** `wisbot llm …`: what was asked of the models, for admins, on the same database as `serve`. */
export function llmCommand(shell: Shell): Command {
  const llm = new Command("llm").description(
    "see, export and erase what was asked, and ask how the model hosts do; also while serve runs",
  );
  const globals = () => shell.globals();
  const actions = () => import("./llm-actions.ts");

  llm
    .command("history")
    .description("list who asked which model, when, and what it took, newest first")
    .addOption(userOption())
    .addOption(serverOption())
    .addOption(new Option("--limit <n>", "at most so many").argParser(wholeNumber(MAX_HISTORY)).default(50))
    .addOption(jsonOption())
    .action(async (options) =>
      shell.exit(await (await actions()).history({ globals: globals(), ...options })),
    );

  llm
    .command("votes")
    .description("list how often members liked what each model said")
    .addOption(serverOption())
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await actions()).votes({ globals: globals(), ...options })));

  llm
    .command("export")
    .description("write everything that is known of a member, as JSON, to stdout or a new file")
    .addArgument(userArgument())
    .option("--output <file>", "a file that only you can read, instead of stdout")
    .action(async (user: string, options) =>
      shell.exit(await (await actions()).exportOf({ globals: globals(), user, ...options })),
    );

  llm
    .command("forget")
    .description("erase everything that is known of a member, for good")
    .addArgument(userArgument())
    .option("--yes", "do not ask first", false)
    .addOption(jsonOption())
    .action(async (user: string, options) =>
      shell.exit(await (await actions()).forget({ globals: globals(), user, ...options })),
    );

  llm
    .command("hosts")
    .description("ask every model host whether it answers, and what it holds")
    .addOption(jsonOption())
    .action(async (options) => {
      const { hosts } = await import("./llm-hosts.ts");
      shell.exit(await hosts({ globals: globals(), ...options }));
    });
  return llm;
}
