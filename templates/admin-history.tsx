/** @jsxImportSource hono/jsx */
import { count } from "../src/lib/count.ts";
import { AttemptList, type ShownAttempt } from "./admin-attempts.tsx";
import { type Frame, Layout } from "./layout.tsx";

interface ShownHost {
  name: string;
  state: "ok" | "resting" | "unknown";
  detail: string;
  active: number;
  slots: number;
}

interface ShownVotes {
  model: string;
  up: number;
  down: number;
  answers: number;
}

type AdminHistoryProps = Frame & {
  /** What the address asks for; empty: everything. */
  asked: { user: string; server: string; before: string };
  /** What is wrong with that. */
  refusal: string | undefined;
  status: { hosts: ShownHost[]; waiting: number; active: number };
  votes: ShownVotes[];
  attempts: ShownAttempt[];
  /** Address of the next page. */
  older: string | undefined;
  /** Whether questions and answers are kept with new rows. */
  keepsContent: boolean;
  /** How long rows are kept, in words. */
  keptFor: string;
};

export function AdminHistoryPage(props: AdminHistoryProps) {
  const { assets, version, asked, refusal, attempts, older } = props;
  return (
    <Layout assets={assets} version={version} title="Inference history – WisBot" admin>
      <div class="admin-head">
        <h1>Inference history</h1>
        <form method="post" action="/admin/sign-out">
          <button type="submit" class="button small">
            Sign out
          </button>
        </form>
      </div>
      <div class="admin-boards">
        <Status {...props.status} />
        <Votes votes={props.votes} server={refusal ? "" : asked.server} />
      </div>
      <section class="card" aria-labelledby="attempts">
        <h2 id="attempts">Attempts, newest first</h2>
        <Filter {...asked} />
        {refusal ? (
          <p class="notice bad" role="alert">
            {refusal}
          </p>
        ) : (
          <>
            <p class="quiet">
              A line for each question to a model server, kept for {props.keptFor}.{" "}
              {contentNote(props.keepsContent)}
            </p>
            {attempts.length === 0 ? <p>{emptyNote(asked)}</p> : <AttemptList attempts={attempts} />}
          </>
        )}
        {(older || asked.before) && (
          <nav class="actions" aria-label="Pages">
            {asked.before && (
              <a class="button" href={addressOf(asked)}>
                Newest
              </a>
            )}
            {older && (
              <a class="button" href={older} rel="next">
                Older
              </a>
            )}
          </nav>
        )}
      </section>
    </Layout>
  );
}

const contentNote = (keeps: boolean) =>
  keeps
    ? "New lines have the question and the answer, too: llm.keep_content is on."
    : "New lines have no question and no answer: llm.keep_content is off. Conversations keep both.";

function emptyNote({ user, server, before }: AdminHistoryProps["asked"]): string {
  if (before) return "There is nothing older.";
  const what = user || server ? "Nothing was asked by that member, or there" : "Nothing was asked yet";
  return `${what}, or it is older than llm.keep_history_for, or was erased.`;
}

/** The first page with the same filter. */
function addressOf({ user, server }: AdminHistoryProps["asked"]): string {
  const query = new URLSearchParams({ ...(user && { user }), ...(server && { server }) }).toString();
  return query ? `/admin/history?${query}` : "/admin/history";
}

const HOST_STATES: Record<ShownHost["state"], { name: string; part: string }> = {
  ok: { name: "Working", part: "ok" },
  resting: { name: "Resting", part: "degraded" },
  unknown: { name: "Not known yet", part: "off" },
};

function Status({ hosts, waiting, active }: AdminHistoryProps["status"]) {
  return (
    <section class="card" aria-labelledby="status">
      <h2 id="status">Model servers right now</h2>
      {hosts.length === 0 && <p class="quiet">There are none: llm.hosts is empty.</p>}
      <ul class="parts">
        {hosts.map(({ name, state, detail, active, slots }) => (
          <li class={`part ${HOST_STATES[state].part}`}>
            <span class="dot" aria-hidden="true" />
            <span class="part-name">{name}</span>
            <span class="part-state">{HOST_STATES[state].name}</span>
            <span class="part-detail">
              {active} of {count(slots, "slot")} in use. {detail}
            </span>
          </li>
        ))}
      </ul>
      <p>
        {count(active, "answer")} being written, {waiting === 0 ? "nobody waits" : `${waiting} waiting`}.
      </p>
    </section>
  );
}

function Votes({ votes, server }: { votes: ShownVotes[]; server: string }) {
  return (
    <section class="card" aria-labelledby="votes">
      <h2 id="votes">Votes below answers{server && " in that server"}</h2>
      {votes.length === 0 ? (
        <p class="quiet">No answers yet.</p>
      ) : (
        <table class="votes">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">
                <span aria-hidden="true">👍</span>
                <span class="away">Liked</span>
              </th>
              <th scope="col">
                <span aria-hidden="true">👎</span>
                <span class="away">Disliked</span>
              </th>
              <th scope="col">Answers</th>
            </tr>
          </thead>
          <tbody>
            {votes.map(({ model, up, down, answers }) => (
              <tr>
                <th scope="row">{model}</th>
                <td>{up}</td>
                <td>{down}</td>
                <td>{answers}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Filter({ user, server }: AdminHistoryProps["asked"]) {
  return (
    <form class="filter" action="/admin/history">
      <label class="field">
        User id
        <input name="user" value={user} inputmode="numeric" maxlength={20} autocomplete="off" />
      </label>
      <label class="field">
        Server id
        <input name="server" value={server} inputmode="numeric" maxlength={20} autocomplete="off" />
      </label>
      <button type="submit" class="button">
        Show
      </button>
      {(user || server) && (
        <a class="button" href="/admin/history">
          Show all
        </a>
      )}
    </form>
  );
}
