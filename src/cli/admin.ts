import { Command } from "commander";
import type { Shell } from "./command.ts";
import { jsonOption } from "./options.ts";

/** `wisbot admin …`: who may see the admin's pages on the web, on the same database as `serve`. */
export function adminCommand(shell: Shell): Command {
  const admin = new Command("admin").description("sign in to the admin's pages, also while serve runs");
  const globals = () => shell.globals();
  const actions = () => import("./admin-actions.ts");

  admin
    .command("link")
    .description("print a link that signs one browser in, once")
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await actions()).link({ globals: globals(), ...options })));

  admin
    .command("sign-out")
    .description("end every session, and every link that was not used")
    .addOption(jsonOption())
    .action(async (options) =>
      shell.exit(await (await actions()).signOut({ globals: globals(), ...options })),
    );
  return admin;
}
