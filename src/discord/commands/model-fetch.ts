import type { Config } from "../../config/schema.ts";
import type { Pull } from "../../llm/llm.ts";
import type { Member } from "../../members/member.ts";
import { button, row } from "../buttons.ts";
import { note, plain } from "../render.ts";
import type { Body, Shown } from "../respond.ts";
import { asPreview } from "../rest.ts";
import { createStreamWriter, type StreamWriter } from "../stream-writer.ts";
import type { Asking, CommandDeps } from "./command.ts";

/** Between two edits, milliseconds: a model takes minutes. */
const INTERVAL_MS = 5_000;
/** https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id */
const LONGEST_ID = 100;

type FetchDeps = Pick<CommandDeps, "config" | "llm" | "messages" | "budget" | "timers" | "now">;
type PullConfig = { llm: Pick<Config["llm"], "pull"> };

/** What is said of a missing model; with the way to fetch it, for whom that would work. */
export function withFetch(config: PullConfig, member: Member, model: string, content: string): Body {
  if (!mayFetch(config, member)) return { content };
  const id = `model:pull:${encodeURIComponent(model)}`;
  if (id.length > LONGEST_ID) {
    return {
      content: `${content}\n${note("To fetch it, run `/wis model` with its name and `fetch:True`.")}`,
    };
  }
  return { content, components: [row([button({ label: "Fetch it", id })])] };
}

function mayFetch({ llm }: PullConfig, { moderator }: Member): boolean {
  return llm.pull === "moderators" && moderator;
}

/**
 * Fetches a model to a host and shows how far that is, to its end. In a message that everybody sees: an ephemeral one
 * could be edited for 15 minutes only.
 */
export async function fetchModel(deps: FetchDeps, asking: Asking, model: string): Promise<void> {
  const { member, reply, explain } = asking;
  // It waits for nothing, so that a refusal is told to the asker alone.
  const first = await deps.llm.pull(model, member);
  const shown = await reply.show({ content: progressText(first) });
  const writer = createProgressWriter(deps, shown, explain);
  let last: Pull;
  try {
    last = await follow(deps.llm, first, writer);
  } catch (error) {
    const content = `**${plain(model, 100)}** could not be fetched.\n${explain(error)}`;
    await writer.finish(withFetch(deps.config, member, model, content));
    throw error;
  }
  await writer.finish({ content: endText(last) });
}

/** Gives how it ended. Throws what ended it early. */
async function follow(llm: CommandDeps["llm"], first: Pull, writer: StreamWriter<Body>): Promise<Pull> {
  let last = first;
  for await (last of llm.pulling(first.model)) {
    if (last.state === "running") writer.update({ content: progressText(last) });
  }
  if (last.state === "failed") throw last.error;
  return last;
}

function createProgressWriter(deps: FetchDeps, shown: Shown, explain: Asking["explain"]): StreamWriter<Body> {
  const { messages, budget, timers, now } = deps;
  return createStreamWriter({
    write(body, kind) {
      const edit = () => messages.edit(shown, body);
      return kind === "preview" ? asPreview(edit) : edit();
    },
    book: (notBefore) => budget.book({ channelId: shown.channelId }, notBefore),
    onRefused: explain,
    interval: INTERVAL_MS,
    timers,
    now,
  });
}

const STEPS = 10;

function progressText({ model, host, share, status }: Pull): string {
  const title = `Fetching **${plain(model, 100)}** to ${plain(host, 60)}`;
  const words = note(plain(status, 100) || "starting");
  if (share === undefined) return `${title}…\n${words}`;
  const full = Math.floor(share * STEPS);
  const bar = "▰".repeat(full) + "▱".repeat(STEPS - full);
  return `${title}\n${bar} ${Math.floor(share * 100)}%\n${words}`;
}

function endText({ model, host }: Pull): string {
  const name = plain(model, 100);
  return `**${name}** is on ${plain(host, 60)} now.\nChoose it with \`/wis model\`.`;
}
