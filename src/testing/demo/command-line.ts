import type { DiscordStandIn, OptionValue } from "../discord/index.ts";

/** What one typed, with the file and the switches beside the text field. */
export interface TypedCommand {
  line: string;
  file?: File | undefined;
  /** Names of boolean options that are on. */
  on: string[];
}

export interface ParsedCommand {
  command: string;
  options: Record<string, OptionValue>;
}

type Offered = ReturnType<DiscordStandIn["commands"]>[number];

// https://discord.com/developers/docs/interactions/application-commands: string, boolean, attachment.
const TEXT = 3;
const SWITCH = 5;
const FILE = 11;

/**
 * `/wis llm why?` as Discord's client would send it: the rest of the line is the first text option, the file the first
 * attachment option. Throws what the client would say.
 */
export async function parseCommand(typed: TypedCommand, offered: Offered[]): Promise<ParsedCommand> {
  const words = typed.line.trim().replace(/^\//, "");
  const found = offered.find(({ path }) => words === path || words.startsWith(`${path} `));
  if (!found) {
    const known = offered.map(({ path }) => `/${path}`).join(", ");
    throw new Error(
      known ? `There is no such command here. Try ${known}.` : "WisBot has registered no commands yet.",
    );
  }
  const options: Record<string, OptionValue> = {};
  const rest = words.slice(found.path.length).trim();
  const text = found.options.find(({ type }) => type === TEXT);
  if (rest && !text) throw new Error(`/${found.path} takes no text.`);
  if (rest && text) options[text.name] = rest.replace(new RegExp(`^${text.name}:\\s*`), "");
  const attachment = found.options.find(({ type }) => type === FILE);
  if (typed.file && attachment)
    options[attachment.name] = {
      name: typed.file.name,
      bytes: new Uint8Array(await typed.file.arrayBuffer()),
      contentType: typed.file.type || "application/octet-stream",
    };
  for (const { name, type } of found.options)
    if (type === SWITCH && typed.on.includes(name)) options[name] = true;
  return { command: found.path, options };
}
