import { AdminHistoryPage } from "../../../templates/admin-history.tsx";
import { WisError } from "../../errors.ts";
import { formatDuration } from "../../lib/duration.ts";
import { readCursor, writeCursor } from "../../llm/attempt-cursor.ts";
import { outcomeText } from "../../llm/outcome.ts";
import type { ListedAttempt, ModelVotes } from "../../llm/ports.ts";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { FORM_REFERRER } from "../headers.ts";
import { page, wantsPage } from "../page.ts";
import { FORM_POLICY } from "./admin.ts";

type HistoryDeps = Pick<WebDeps, "llm" | "config" | "version">;

/** What an address asks for; empty: everything. */
interface Asked {
  user: string;
  server: string;
  before: string;
}

const PAGE = 50;

/** `GET /admin/history`: who asked which model, when, what it took and how it ended; how the model servers do; the votes. */
export function adminHistory({ llm, config, version }: HistoryDeps): Handler<"/admin/history"> {
  const { keep_content: keepsContent, keep_history_for: life } = config.llm;
  const frame = { assets: assetUrls, version, keepsContent, keptFor: formatDuration(life) };
  return async (c) => {
    const { user = "", server = "", before = "" } = c.req.query();
    const asked: Asked = { user: user.trim(), server: server.trim(), before };
    const refusal = refusalOf(asked);
    if (refusal && !wantsPage(c)) throw refusal;
    const attempts = refusal ? [] : await find(llm, asked);
    const votes = await llm.votes(refusal ? undefined : asked.server || undefined);
    c.header("Content-Security-Policy", FORM_POLICY);
    c.header("Referrer-Policy", FORM_REFERRER);
    return page(
      c,
      AdminHistoryPage({
        ...frame,
        asked,
        refusal: refusal && `${refusal.say} ${refusal.hint ?? ""}`,
        status: llm.status(),
        votes: votes.toSorted(byLiking),
        attempts: attempts.slice(0, PAGE).map((row) => ({ ...row, end: outcomeText(row.outcome) })),
        older: olderOf(asked, attempts),
      }),
      refusal ? 400 : 200,
    );
  };
}

function find(llm: HistoryDeps["llm"], { user, server, before }: Asked): Promise<ListedAttempt[]> {
  const cursor = readCursor(before);
  return llm.history({
    ...(user && { userId: user }),
    ...(server && { guildId: server }),
    ...(cursor && { before: cursor }),
    limit: PAGE + 1,
  });
}

function refusalOf({ user, server, before }: Asked): WisError | undefined {
  const isId = (text: string) => /^(?:\d{17,20})?$/.test(text);
  const hint = "Copy it from Discord: with its developer mode on, every menu has Copy ID.";
  if (!isId(user)) return new WisError("bad_request", { say: "That is no Discord user id.", hint });
  if (!isId(server)) return new WisError("bad_request", { say: "That is no Discord server id.", hint });
  if (before === "" || readCursor(before)) return undefined;
  return new WisError("bad_request", {
    say: "That is no page of the history.",
    hint: "Begin with the newest one.",
  });
}

/** Where the next page is; undefined: this is the last. */
function olderOf({ user, server }: Asked, attempts: ListedAttempt[]): string | undefined {
  const last = attempts.length > PAGE ? attempts[PAGE - 1] : undefined;
  if (!last) return undefined;
  const filter = { ...(user && { user }), ...(server && { server }) };
  return `/admin/history?${new URLSearchParams({ ...filter, before: writeCursor(last) })}`;
}

const byLiking = (a: ModelVotes, b: ModelVotes) => b.up - b.down - (a.up - a.down);
