import unit from "../../templates/wisbot.service" with { type: "text" };
import { locateConfig } from "../config/locate.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { note, print } from "./output.ts";

// systemd.syntax(7): quotes keep spaces together, % begins a specifier.
function word(text: string): string {
  const escaped = text.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%");
  return /[\s"']/.test(text) ? `"${escaped}"` : escaped;
}

// A compiled binary's entry lies in its own embedded file system.
const isCompiled = () => Bun.main.startsWith("/$bunfs/");

/** What starts this wisbot: the binary, or Bun with the source. */
function startCommand(): string[] {
  if (isCompiled()) return [process.execPath];
  note("This wisbot runs from source. A service wants the binary: build it with bun run build.");
  return [process.execPath, Bun.main];
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
  print(renderUnit({ binary, config: file }).trimEnd());
  return exit.ok;
}
