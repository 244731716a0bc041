/** @jsxImportSource preact */
import type { Item } from "./upload-item.ts";
import type { Problem } from "./upload-problem.ts";
import type { Session } from "./upload-session.ts";
import { count } from "./upload-words.ts";

export function Failures({ failed, session }: { failed: Item[]; session: Session }) {
  const problems = new Map(failed.map(({ problem }) => [problem?.say, problem]));
  return (
    <div class="notice bad" role="alert">
      <p class="strong">{count(failed.length)} could not be sent.</p>
      {[...problems.values()].map((problem) => problem && <Words key={problem.say} problem={problem} />)}
      <p class="actions">
        <button type="button" class="button small" id="retry" onClick={session.retryAll}>
          Try again
        </button>
        <button type="button" class="button small" onClick={() => session.removeFailed()}>
          Leave {failed.length === 1 ? "it" : "them"} out
        </button>
      </p>
    </div>
  );
}

export function Failure({ problem }: { problem: Problem }) {
  return (
    <div class="notice bad" role="alert">
      <Words problem={problem} />
    </div>
  );
}

function Words({ problem: { say, hint, errorId } }: { problem: Problem }) {
  return (
    <>
      <p class="strong">{say}</p>
      <p>{hint}</p>
      {errorId && <p class="quiet">Error id {errorId}</p>}
    </>
  );
}

// A folder of thousands may be too large: nobody reads that many sentences.
const SENTENCES = 5;

export function Refused({ sentences }: { sentences: string[] }) {
  const more = sentences.length - SENTENCES;
  return (
    <div class="notice bad" role="alert">
      <p class="strong">Not added:</p>
      {sentences.slice(0, SENTENCES).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {more > 0 && <p>And {count(more)} more.</p>}
    </div>
  );
}
