import { confirm, input, password, select } from "@inquirer/prompts";
import { expectedInstead } from "../config/expected.ts";
import { defaultText, type KeyPath } from "../config/keys.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { OLLAMA_URL } from "../config/schema.ts";
import type { Setting } from "../config/write.ts";
import { formatBytes } from "../lib/bytes.ts";
import { formatDuration } from "../lib/duration.ts";
import { type Answers, inviteFrom } from "./init-answers.ts";
import { askDiscord, askOllama } from "./init-live.ts";
import { note, paint, table } from "./output.ts";

// Questions are no answers: they go to stderr.
const onStderr = { output: process.stderr };

/** Asks until the key at `path` takes it. An empty answer is fine where `optional`. */
function ask(message: string, path: KeyPath, fallback: string, { optional = false } = {}): Promise<string> {
  const validate = (text: string) => {
    if (text.trim() === "" && optional) return true;
    const expected = expectedInstead(path, text.trim());
    return expected === undefined || `Expected ${expected}.`;
  };
  return input({ message, default: fallback, validate }, onStderr).then((text) => text.trim());
}

/** A token that Discord refuses is asked for again, unless the person insists; silence from Discord changes nothing. */
async function askToken({
  config,
  discordToken,
}: LoadedConfig): Promise<Pick<Answers, "token" | "inviteUrl">> {
  const message = discordToken
    ? "Bot token (Enter: the one from the environment)"
    : "Bot token, from https://discord.com/developers/applications (Enter: Discord stays off)";
  const validate = (text: string) => !/\s/.test(text.trim()) || "A token has no spaces.";
  for (;;) {
    const typed = (await password({ message, mask: "•", validate }, onStderr)).trim();
    const token = typed === "" ? discordToken : typed;
    if (token === undefined) return { token, inviteUrl: undefined };
    const bot = await askDiscord(config.discord.api, token);
    const refused = "refused" in bot && bot.refused;
    if (!refused || (await confirm({ message: "Keep this token all the same?", default: false }, onStderr))) {
      return { token, inviteUrl: inviteFrom(bot) };
    }
  }
}

const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== "");

async function askGuilds({ config }: LoadedConfig): Promise<string[]> {
  const validate = (text: string) => {
    const wrong = words(text).find((id) => expectedInstead(["discord", "guild_ids", 0], id) !== undefined);
    return (
      wrong === undefined ||
      `${wrong} is no server id: turn on Developer Mode in Discord, right-click the server, Copy Server ID.`
    );
  };
  const message = "Server ids, for commands that show up at once (Enter: every server, within the hour)";
  return words(await input({ message, default: config.discord.guild_ids.join(" "), validate }, onStderr));
}

async function askModel(models: string[], fallback: string): Promise<string> {
  const other = { name: "another one", value: undefined };
  const choices = [...models.map((name) => ({ name, value: name })), other];
  const chosen = models.length === 0 ? undefined : await select({ message: "Model", choices }, onStderr);
  return chosen ?? (await ask("Name of the model", ["llm", "model"], fallback));
}

async function askLlm({ config }: LoadedConfig): Promise<Pick<Answers, "ollamaUrl" | "model">> {
  const [host] = config.llm.hosts;
  const url = await ask("Where Ollama listens", ["llm", "hosts", 0, "url"], host?.url ?? OLLAMA_URL);
  const unset = { name: "local", kind: "ollama" as const, slots: 1, priority: 0, models: [], headers: {} };
  const models = await askOllama({ ...unset, ...host, url });
  return { ollamaUrl: url, model: await askModel(models ?? [], config.llm.model) };
}

const limitQuestions = [
  { key: "max_file_size", message: "Largest file" },
  { key: "max_files_per_user", message: "Files a member may keep" },
  { key: "max_bytes_per_user", message: "Bytes a member may keep" },
  { key: "expire_after", message: "Files disappear after" },
] as const;

async function askLimits({ config: { files } }: LoadedConfig): Promise<Setting[]> {
  const { max_files_per_user, max_file_size, max_bytes_per_user, expire_after } = files;
  note(
    `A member may keep ${max_files_per_user} files of at most ${formatBytes(max_file_size)}, ` +
      `${formatBytes(max_bytes_per_user)} together, for ${formatDuration(expire_after)}.`,
  );
  if (await confirm({ message: "Keep these limits?", default: true }, onStderr)) return [];
  const settings: Setting[] = [];
  for (const { key, message } of limitQuestions) {
    const path = ["files", key];
    const text = await ask(message, path, defaultText(path));
    settings.push({ path, value: /^\d+$/.test(text) ? Number(text) : text });
  }
  return settings;
}

function summary({ token, guildIds, ollamaUrl, model, publicUrl, port, limits }: Answers): string {
  return table([
    [
      "Discord",
      token === undefined ? "off" : `on, ${guildIds.length === 0 ? "every server" : guildIds.join(", ")}`,
    ],
    ["LLM", `${model} at ${ollamaUrl}`],
    ["Web", publicUrl ?? `http://localhost:${port}`],
    ["Limits", limits.length === 0 ? "as above" : limits.map(({ value }) => String(value)).join(", ")],
  ]);
}

/**
 * Asks for what every installation differs in, each answer checked live. Undefined: the person does not want it
 * written. Rejects with inquirer's ExitPromptError on Ctrl-C. `defaults` are offered as answers.
 */
export async function askAnswers(defaults: LoadedConfig, file: string): Promise<Answers | undefined> {
  note(paint("bold", "WisBot asks a few questions; Enter takes what it suggests.\n", "stderr"));
  const { token, inviteUrl } = await askToken(defaults);
  const guildIds = token === undefined ? [] : await askGuilds(defaults);
  const { ollamaUrl, model } = await askLlm(defaults);
  const { web } = defaults.config;
  const port = Number(await ask("Port of the web interface", ["web", "port"], String(web.port)));
  const asked = "Address that members reach it by, such as https://files.example (Enter: this machine only)";
  const address = await ask(asked, ["web", "public_url"], web.public_url ?? "", { optional: true });
  const limits = await askLimits(defaults);

  const publicUrl = address === "" ? undefined : address;
  const answers = { token, inviteUrl, guildIds, ollamaUrl, model, port, publicUrl, limits };
  note(`\n${summary(answers)}\n`);
  const write = await confirm({ message: `Write ${file}?`, default: true }, onStderr);
  return write ? answers : undefined;
}
