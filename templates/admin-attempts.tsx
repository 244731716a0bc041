/** @jsxImportSource hono/jsx */
import type { PropsWithChildren } from "hono/jsx";

export interface ShownAttempt {
  createdAt: number;
  userId: string;
  /** Null: direct messages. */
  guildId: string | null;
  channelId: string;
  model: string;
  host: string;
  inputTokens: number | null;
  outputTokens: number | null;
  /** Milliseconds. */
  queueMs: number;
  firstTokenMs: number | null;
  durationMs: number | null;
  /** `ok` or an error code; null while it runs. */
  outcome: string | null;
  /** The same in words. */
  end: string;
  traceId: string;
  vote: number;
  question: string | null;
  answer: string | null;
}

/** What a row says, and how its cells are laid out. */
const COLUMNS = {
  when: { label: "When (UTC)", kind: "half" },
  end: { label: "How it ended", kind: "half" },
  asker: { label: "Asked by", kind: "half ids" },
  model: { label: "Model", kind: "half model" },
  input: { label: "Tokens in", kind: "number" },
  output: { label: "Tokens out", kind: "number" },
  wait: { label: "Wait", kind: "number" },
  firstToken: { label: "First token", kind: "number" },
  duration: { label: "Duration", kind: "number" },
  trace: { label: "Trace", kind: "full" },
};

/** A row for each; where there is no room for so many columns, a card for each, whose cells say what they are. */
export function AttemptList({ attempts }: { attempts: ShownAttempt[] }) {
  return (
    <table class="attempts">
      <thead class="attempts-head">
        <tr>
          {Object.values(COLUMNS).map(({ label, kind }) => (
            <th scope="col" class={`head ${kind}`}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      {attempts.map((attempt) => (
        <tbody class="attempt">
          <Attempt {...attempt} />
          <Content {...attempt} />
        </tbody>
      ))}
    </table>
  );
}

function Attempt(attempt: ShownAttempt) {
  const { userId, model, host, traceId } = attempt;
  return (
    <tr class="attempt-row">
      <Cell of="when">
        <Moment at={attempt.createdAt} />
      </Cell>
      <Cell of="end">
        <End {...attempt} />
      </Cell>
      <Cell of="asker">
        <a href={`/admin/history?user=${encodeURIComponent(userId)}`}>{userId}</a>
        <Place {...attempt} />
      </Cell>
      <Cell of="model">
        {model}
        <small>on {host}</small>
      </Cell>
      <Cell of="input">{tokens(attempt.inputTokens)}</Cell>
      <Cell of="output">{tokens(attempt.outputTokens)}</Cell>
      <Cell of="wait">{seconds(attempt.queueMs)}</Cell>
      <Cell of="firstToken">{seconds(attempt.firstTokenMs)}</Cell>
      <Cell of="duration">{seconds(attempt.durationMs)}</Cell>
      <Cell of="trace">{traceId ? <code class="trace">{traceId}</code> : "–"}</Cell>
    </tr>
  );
}

function Cell({ of, children }: PropsWithChildren<{ of: keyof typeof COLUMNS }>) {
  const { label, kind } = COLUMNS[of];
  return (
    <td class={`cell ${kind}`}>
      <span class="cell-label">{label}</span>
      {children}
    </td>
  );
}

function Moment({ at }: { at: number }) {
  const iso = new Date(at).toISOString();
  return (
    <time datetime={iso}>
      {iso.slice(0, 10)} <span class="clock">{iso.slice(11, 19)}</span>
    </time>
  );
}

function Place({ guildId, channelId }: ShownAttempt) {
  return (
    <small>
      {guildId === null ? (
        "direct messages"
      ) : (
        <>
          server <a href={`/admin/history?server=${encodeURIComponent(guildId)}`}>{guildId}</a>
        </>
      )}
      <br />
      channel {channelId}
    </small>
  );
}

function End({ outcome, end, vote }: ShownAttempt) {
  const { kind, mark } = endOf(outcome);
  return (
    <>
      <span class={`end ${kind}`}>
        <span aria-hidden="true">{mark}</span> {end}
      </span>{" "}
      {vote !== 0 && (
        <span>
          <span aria-hidden="true">{vote > 0 ? "👍" : "👎"}</span>
          <span class="away">{vote > 0 ? "liked" : "disliked"}</span>
        </span>
      )}
      {kind === "bad" && (
        <small>
          <code>{outcome}</code>
        </small>
      )}
    </>
  );
}

function endOf(outcome: string | null): { kind: "good" | "bad" | "plain"; mark: string } {
  if (outcome === null) return { kind: "plain", mark: "…" };
  if (outcome === "ok") return { kind: "good", mark: "✓" };
  return outcome === "llm.stopped" ? { kind: "plain", mark: "■" } : { kind: "bad", mark: "✕" };
}

function Content({ question, answer }: ShownAttempt) {
  if (!question && !answer) return null;
  return (
    <tr>
      <td class="content" colspan={Object.keys(COLUMNS).length}>
        <details>
          <summary>Question and answer</summary>
          <dl>
            <Said who="Question" text={question} />
            <Said who="Answer" text={answer} />
          </dl>
        </details>
      </td>
    </tr>
  );
}

/** What a member or a model wrote, as they wrote it: text, in its own direction. */
function Said({ who, text }: { who: string; text: string | null }) {
  // A host that fails at once has said nothing.
  if (!text) return null;
  return (
    <>
      <dt>{who}</dt>
      <dd dir="auto">{text.slice(0, LONGEST)}</dd>
      {text.length > LONGEST && (
        <dd class="quiet">
          The first {NUMBER.format(LONGEST)} characters; <code>wisbot llm history --json</code> has all of it.
        </dd>
      )}
    </>
  );
}

/** Characters: fifty of each are on one page. */
const LONGEST = 4_000;

const NUMBER = new Intl.NumberFormat("en");
const tokens = (number: number | null) => (number === null ? "–" : NUMBER.format(number));
const seconds = (ms: number | null) => (ms === null ? "–" : `${(ms / 1000).toFixed(1)} s`);
