/** @jsxImportSource preact */

import prettyBytes from "pretty-bytes";
import { copyText } from "./copy.ts";
import { timeLeft } from "./pace.ts";
import { Choose } from "./upload-choose.tsx";
import type { Item, ItemState } from "./upload-item.ts";
import { Failure, Failures, Refused } from "./upload-notices.tsx";
import { Row, RowElsewhere } from "./upload-row.tsx";
import type { Options } from "./upload-server.ts";
import type { Session, View } from "./upload-session.ts";
import { count, ready, sentOf, sizeOf, spoken } from "./upload-words.ts";

interface PageProps {
  view: View;
  session: Session;
  /** Something is held over the page. */
  over: boolean;
  /** The fields for a sender's wishes, as the server wrote them. */
  options: HTMLElement;
}

/** What the page shows of a session. Its parts are named by `id` where focus goes to them. */
export function Page(props: PageProps) {
  const { view } = props;
  return (
    <>
      {view.phase === "choosing" && <Choosing {...props} />}
      {view.phase === "sending" && <Sending {...props} />}
      {view.phase === "done" && <Done view={view} />}
      <p class="away" id="announce" aria-live="polite">
        {spoken(view)}
      </p>
    </>
  );
}

function Choosing({ view, session, over, options }: PageProps) {
  const { items, refused, problem, starting } = view;
  const some = items.length > 0;
  return (
    <form
      class="step"
      onSubmit={(event) => {
        event.preventDefault();
        void session.start(optionsIn(new FormData(event.currentTarget)));
      }}
    >
      <Choose pick={session.pick} over={over} small={some}>
        {some ? "Add more files" : "Choose files"}
      </Choose>
      {refused.length > 0 && <Refused sentences={refused} />}
      {some && <List view={view} session={session} />}
      <div
        ref={(place) => {
          if (place && options.parentElement !== place) place.append(options);
        }}
      />
      {problem && <Failure problem={problem} />}
      <p class="actions">
        <button type="submit" class="button primary" id="start" disabled={!some || starting}>
          {starting
            ? "Starting…"
            : some
              ? `Upload ${count(items.length)} (${prettyBytes(sizeOf(items))})`
              : "Upload"}
        </button>
      </p>
    </form>
  );
}

function Sending({ view, session, over }: PageProps) {
  const { items, elsewhere, missing, problem, lost } = view;
  const failed = items.filter((item) => item.state === "failed");
  const absent = items.filter((item) => item.state === "missing").length;
  const gone = elsewhere.filter((file) => file.state === "uploading").length;
  const incomplete = missing > 0 || absent > 0;
  const arrived = inState(items, "ready") + elsewhere.length - gone;
  const busy = inState(items, "sending", "waiting", "paused") > 0;
  return (
    <div class="step">
      {items.length > 0 && <Progress view={view} />}
      {lost && (
        <p class="notice">
          The connection is away. It goes on by itself as soon as the server answers again.
        </p>
      )}
      {busy && <Controls view={view} session={session} />}
      {problem && <Failure problem={problem} />}
      {failed.length > 0 && <Failures failed={failed} session={session} />}
      {incomplete && (
        <>
          <p class="notice">
            {count(missing + absent)} of this link {missing + absent === 1 ? "is" : "are"} not here any more.
            Choose
            {missing + absent === 1 ? " it" : " them"} again, and sending goes on where it stopped.
          </p>
          <Choose pick={session.pick} over={over} small>
            Choose files
          </Choose>
        </>
      )}
      <List view={view} session={session} />
      {busy && <p class="quiet">Should this page close, open the same link again: it goes on from there.</p>}
      {!busy && (failed.length > 0 || incomplete || problem !== undefined) && (
        <p class="actions">
          {arrived > 0 ? (
            <button type="button" class="button" id="share" onClick={() => session.finish()}>
              Share what is there ({count(arrived)})
            </button>
          ) : (
            <button type="button" class="button" onClick={() => session.cancel()}>
              Start over
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function Progress({ view: { items, pace, lost } }: { view: View }) {
  const size = sizeOf(items);
  const sent = sentOf(items);
  const moving = inState(items, "sending") > 0 && !lost;
  const all = sent === size && inState(items, "ready") < items.length;
  const rate = moving && pace.speed !== undefined && !all ? `${prettyBytes(pace.speed)}/s` : "";
  const left = rate === "" || pace.secondsLeft === undefined ? "" : ` · ${timeLeft(pace.secondsLeft)}`;
  return (
    <div>
      <progress id="progress" max={Math.max(1, size)} value={size === 0 ? 1 : sent} aria-label="Upload" />
      <p class="transfer-line">
        <span>
          {all ? "All sent, being checked and stored…" : `${prettyBytes(sent)} of ${prettyBytes(size)}`}
        </span>
        <span>{rate + left}</span>
      </p>
    </div>
  );
}

function Controls({ view: { items }, session }: { view: View; session: Session }) {
  const moving = inState(items, "sending", "waiting") > 0;
  return (
    <p class="actions">
      {moving ? (
        <button type="button" class="button" id="pause" onClick={session.pauseAll}>
          Pause
        </button>
      ) : (
        <button type="button" class="button primary" id="pause" onClick={session.resumeAll}>
          Resume
        </button>
      )}
      <button type="button" class="button" onClick={() => session.cancel()}>
        Cancel
      </button>
    </p>
  );
}

// What needs a person first, what is done last; everything between stays where it is.
const RANKS: Partial<Record<ItemState, number>> = { failed: 0, missing: 0, ready: 2 };
const rank = ({ state }: { state: ItemState }) => RANKS[state] ?? 1;

function List({ view: { items, elsewhere }, session }: { view: View; session: Session }) {
  return (
    <ul class="items" aria-label="Files">
      {items
        .toSorted((a, b) => rank(a) - rank(b))
        .map((item) => (
          <Row key={item.id} item={item} session={session} />
        ))}
      {elsewhere.map((file) => (
        <RowElsewhere key={`${file.size} ${file.name}`} file={file} />
      ))}
    </ul>
  );
}

function Done({ view }: { view: View }) {
  const link = view.link ?? "";
  return (
    <div class="step">
      <p class="notice good">{ready(view)}</p>
      <label class="field">
        Link to share
        <span class="link-row">
          <input
            type="text"
            id="link"
            readonly
            value={link}
            onFocus={(event) => event.currentTarget.select()}
          />
          <button
            type="button"
            class="button primary"
            id="copy"
            onClick={({ currentTarget }) => copy(link, currentTarget)}
          >
            Copy link
          </button>
          <span class="away" role="status" />
        </span>
      </label>
      <p class="actions">
        <a class="button" id="open" href={link}>
          Show the page
        </a>
      </p>
    </div>
  );
}

function copy(link: string, button: HTMLButtonElement): void {
  const field = button.previousElementSibling;
  if (field instanceof HTMLElement) void copyText(link, button, field);
}

/** What the form says; empty fields say nothing. */
function optionsIn(form: FormData): Options {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  };
  const [title, note, expires] = [text("title"), text("note"), text("expires")];
  const downloads = text("max_downloads");
  const password = form.get("password");
  return {
    ...(title && { title }),
    ...(note && { note }),
    ...(expires && { expires }),
    ...(downloads && { max_downloads: Number(downloads) }),
    ...(typeof password === "string" && password !== "" && { password }),
  };
}

const inState = (items: Item[], ...states: ItemState[]) =>
  items.filter((item) => states.includes(item.state)).length;
