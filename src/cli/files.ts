import { Command, InvalidArgumentError, Option } from "commander";
import { MAX_DOWNLOADS } from "../files/wishes.ts";
import { parseDuration } from "../lib/duration.ts";
import type { Shell } from "./command.ts";
import { jsonOption, ownerOption, wholeNumber } from "./options.ts";

// Only the declarations: what the commands do stands in files-actions.ts and beside it, which is imported when one runs.

const fileStates = ["pending", "uploading", "ready", "deleting"] as const;
const places = ["disk", "s3"] as const;

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (parsed !== undefined && parsed > 0) return parsed;
  throw new InvalidArgumentError("Expected a duration above zero such as 30m, 24h or 7d.");
}

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
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await actions()).list({ globals: globals(), ...options })));

  files
    .command("show <id>")
    .description("show everything about a file or a bundle")
    .addOption(jsonOption())
    .action(async (id: string, options) =>
      shell.exit(await (await actions()).show({ globals: globals(), id, ...options })),
    );

  files
    .command("add <path>")
    .description("store a file and print its share link")
    .addOption(ownerOption().default("admin"))
    .option("--title <text>", "what its share page is headed with")
    .option("--note <text>", "what its share page says about it")
    .option("--password-stdin", "ask for a password, which is the first line of stdin", false)
    .addOption(
      new Option("--max-downloads <n>", "how often it can be downloaded; 1: once").argParser(
        wholeNumber(MAX_DOWNLOADS),
      ),
    )
    .addOption(
      expires("how long it is kept, also beyond files.max_expire_after; default: files.expire_after"),
    )
    .addOption(jsonOption())
    .action(async (path: string, options) => {
      const { add } = await import("./files-add.ts");
      shell.exit(await add({ globals: globals(), path, ...options }));
    });

  files
    .command("link")
    .description("make an upload link, as /wis upload does")
    .addOption(ownerOption().makeOptionMandatory())
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await actions()).link({ globals: globals(), ...options })));

  files
    .command("get <id> [path]")
    .description(
      "write a file, or a bundle as a ZIP, to a path, into a folder, or to stdout (-); default: here, by its own name",
    )
    .option("--force", "write over a file that exists", false)
    .addOption(jsonOption())
    .action(async (id: string, path: string | undefined, options) =>
      shell.exit(await (await actions()).get({ globals: globals(), id, path, ...options })),
    );

  files
    .command("extend <id>")
    .description("keep a file longer, counting from now")
    .addOption(expires("how long from now, instead of files.expire_after"))
    .addOption(jsonOption())
    .action(async (id: string, options) =>
      shell.exit(await (await actions()).extend({ globals: globals(), id, ...options })),
    );

  files
    .command("rm <id...>")
    .description("delete files and open upload links for good")
    .addOption(jsonOption())
    .action(async (ids: string[], options) =>
      shell.exit(await (await actions()).remove({ globals: globals(), ids, ...options })),
    );

  addCare(files, shell);
  return files;
}

/** What an admin does with all that is stored. */
function addCare(files: Command, shell: Shell): void {
  const globals = () => shell.globals();
  const care = () => import("./files-care.ts");

  files
    .command("prune")
    .description("remove now what has expired")
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await care()).prune({ globals: globals(), ...options })));

  files
    .command("verify")
    .description("read every stored byte again and compare it with the database")
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await care()).verify({ globals: globals(), ...options })));

  files
    .command("audit [id]")
    .description("what happened to a file, or to all of them, newest first")
    .addOption(ownerOption())
    .addOption(new Option("--limit <n>", "at most so many").argParser(wholeNumber(9_999_999)).default(50))
    .addOption(jsonOption())
    .action(async (id: string | undefined, options) =>
      shell.exit(await (await care()).audit({ globals: globals(), id, ...options })),
    );

  files
    .command("migrate")
    .description("move all stored bytes to the disk or to S3; goes on where it was interrupted")
    .addOption(new Option("--to <store>", "where to").choices(places).makeOptionMandatory())
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await care()).migrate({ globals: globals(), ...options })));
}
