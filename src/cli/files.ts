import { Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../lib/duration.ts";
import type { Shell } from "./command.ts";

// Only the declarations: what the commands do stands in files-actions.ts, which is imported when one runs.

const fileStates = ["pending", "uploading", "ready", "deleting"] as const;

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (parsed !== undefined && parsed > 0) return parsed;
  throw new InvalidArgumentError("Expected a duration above zero such as 30m, 24h or 7d.");
}

function owner(text: string): string {
  if (/^\S{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError(
    "Expected a Discord user id or a name without spaces, of at most 64 characters.",
  );
}

const json = () => new Option("--json", "answer for scripts").default(false);
const ownerOption = () => new Option("--owner <id>", "Discord user id, or a name").argParser(owner);
const expires = (what: string) => new Option("--expires <duration>", what).argParser(duration);

/** `wisbot files …`: the file desk from the command line, on the same database and by the same rules as `serve`. */
export function filesCommand(shell: Shell): Command {
  const files = new Command("files").description("look after stored files, also while serve runs");
  const globals = () => shell.globals();
  const actions = () => import("./files-actions.ts");

  files
    .command("list")
    .description("list files and open upload links, newest first")
    .addOption(ownerOption())
    .addOption(new Option("--state <state...>", "only these states").choices(fileStates))
    .addOption(json())
    .action(async (options) => shell.exit(await (await actions()).list({ globals: globals(), ...options })));

  files
    .command("show <id>")
    .description("show everything about a file")
    .addOption(json())
    .action(async (id: string, options) =>
      shell.exit(await (await actions()).show({ globals: globals(), id, ...options })),
    );

  files
    .command("add <path>")
    .description("store a file and print its share link")
    .addOption(ownerOption().default("admin"))
    .addOption(expires("how long it is kept, instead of files.expire_after"))
    .addOption(json())
    .action(async (path: string, options) =>
      shell.exit(await (await actions()).add({ globals: globals(), path, ...options })),
    );

  files
    .command("link")
    .description("make an upload link, as /wis upload does")
    .addOption(ownerOption().makeOptionMandatory())
    .addOption(json())
    .action(async (options) => shell.exit(await (await actions()).link({ globals: globals(), ...options })));

  files
    .command("get <id> [path]")
    .description(
      "write a file's bytes to a path, into a folder, or to stdout (-); default: here, by its own name",
    )
    .option("--force", "write over a file that exists", false)
    .addOption(json())
    .action(async (id: string, path: string | undefined, options) =>
      shell.exit(await (await actions()).get({ globals: globals(), id, path, ...options })),
    );

  files
    .command("extend <id>")
    .description("keep a file longer, counting from now")
    .addOption(expires("how long from now, instead of files.expire_after"))
    .addOption(json())
    .action(async (id: string, options) =>
      shell.exit(await (await actions()).extend({ globals: globals(), id, ...options })),
    );

  files
    .command("rm <id...>")
    .description("delete files and open upload links for good")
    .addOption(json())
    .action(async (ids: string[], options) =>
      shell.exit(await (await actions()).remove({ globals: globals(), ids, ...options })),
    );

  files
    .command("prune")
    .description("remove now what has expired")
    .addOption(json())
    .action(async (options) => shell.exit(await (await actions()).prune({ globals: globals(), ...options })));

  files
    .command("verify")
    .description("read every stored byte again and compare it with the database")
    .addOption(json())
    .action(async (options) =>
      shell.exit(await (await actions()).verify({ globals: globals(), ...options })),
    );

  return files;
}
