import unit from "../../templates/wisbot.service" with { type: "text" };
import { locateConfig } from "../config/locate.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { note, print } from "./output.ts";

// systemd.service(5), Command lines: quotes keep spaces together; %, $ and \ would be expanded.
function word(text: string): string {
  const escaped = text.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"']/.test(text) ? `"${escaped}"` : escaped;
}

/** What starts this wisbot: the binary, or Bun with the source. */
function startCommand(): string[] {
  const compiled = Bun.main.startsWith("/$bunfs/");
  return compiled ? [process.execPath] : [process.execPath, Bun.main];
}

/** The systemd unit with `binary` and `config` in their places. */
export function renderUnit({ binary, config }: { binary: string[]; config: string }): string {
  return unit
    .replaceAll("{{binary}}", () => binary.map(word).join(" "))
    .replaceAll("{{config}}", () => word(config));
}

/** `wisbot service print`: the unit for this binary and config on stdout. */
export async function printService({ globals }: { globals: Globals }): Promise<ExitCode> {
  const { file, exists } = locateConfig({ flags: globals, env: process.env, cwd: process.cwd() });
  const binary = startCommand();
  if (!exists) note(`There is no ${file} yet. Write it with: wisbot --config ${file} init`);
  // The unit's ProtectHome hides home folders from the service.
  const hidden = [...binary, file].filter((path) => /^\/(home|root)\//.test(path));
  if (hidden.length > 0) {
    note(
      `The service can't see home folders; move ${hidden.join(" and ")} elsewhere, such as /usr/local/bin and /etc/wisbot.`,
    );
  }
  print(renderUnit({ binary, config: file }).trimEnd());
  return exit.ok;
}
