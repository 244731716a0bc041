import { Command } from "commander";
import type { Shell } from "./command.ts";
import { jsonOption, ownerOption } from "./options.ts";

/** `wisbot tokens …`: the API tokens that members have minted with `/wis token`. */
export function tokensCommand(shell: Shell): Command {
  const tokens = new Command("tokens").description(
    "see and revoke members' API tokens, also while serve runs",
  );
  const globals = () => shell.globals();
  const actions = () => import("./tokens-actions.ts");

  tokens
    .command("list")
    .description("list API tokens, owner by owner")
    .addOption(ownerOption())
    .addOption(jsonOption())
    .action(async (options) => shell.exit(await (await actions()).list({ globals: globals(), ...options })));

  tokens
    .command("revoke <id...>")
    .description("revoke API tokens for good")
    .addOption(jsonOption())
    .action(async (ids: string[], options) =>
      shell.exit(await (await actions()).revoke({ globals: globals(), ids, ...options })),
    );
  return tokens;
}
