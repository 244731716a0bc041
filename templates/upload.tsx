/** @jsxImportSource hono/jsx */
import { formatBytes } from "../src/lib/bytes.ts";
import { formatDuration } from "../src/lib/duration.ts";
import { Copyable } from "./copy.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { Moment } from "./moment.tsx";

type UploadPageProps = Frame & {
  /** Path of this page, without a trailing slash. */
  address: string;
  /** The whole link with a trailing slash, as curl wants it. */
  link: string;
  /** The largest file that can be taken now, bytes. */
  maxBytes: number;
  limits: { maxFileSize: number; maxBytes: number; expireAfter: number };
  usage: { bytes: number };
  /** When the link ends. */
  expiresAt: number;
  now: number;
};

/** Takes one file. The script shows one of the blocks with `data-step` at a time; without it, curl is the way. */
export function UploadPage({
  assets,
  version,
  address,
  link,
  maxBytes,
  limits,
  usage,
  expiresAt,
  now,
}: UploadPageProps) {
  return (
    <Layout assets={assets} version={version} title="Upload a file – WisBot" uploads>
      <section class="card" id="upload" data-address={address} data-max-bytes={String(maxBytes)}>
        <h1 id="title">Upload a file</h1>
        <p class="lead" data-until-done>
          {roomFor({ maxBytes, limits, usage })} It is kept for {formatDuration(limits.expireAfter)}, and then
          deleted.
        </p>

        <noscript>
          <p class="notice">
            This page needs JavaScript to send a file. Without it, use curl in a terminal as shown below.
          </p>
        </noscript>

        <div data-step="choose" hidden>
          <label class="drop" id="drop">
            <input type="file" id="file" class="away" />
            <svg viewBox="0 0 24 24" width="36" height="36" aria-hidden="true">
              <path d="M12 16V4m0 0L7 9m5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3" />
            </svg>
            <span class="drop-main">
              <span class="linklike">Choose a file</span> <span class="can-drop">or drop it here</span>
            </span>
          </label>
          <p class="notice bad" id="refused" role="alert" hidden />
        </div>

        <div data-step="sending" hidden>
          <p class="transfer-name" id="sending-name" />
          <progress id="progress" max="100" value="0" aria-label="Upload" />
          <p class="transfer-line">
            <span id="sent" />
            <span id="speed" />
          </p>
          <p class="actions">
            <button type="button" class="button" id="cancel">
              Cancel
            </button>
          </p>
        </div>

        <div data-step="failed" hidden>
          <div class="notice bad" role="alert">
            <p class="strong" id="failed-say" />
            <p id="failed-hint" />
            <p class="quiet" id="failed-id" hidden />
          </div>
          <p class="actions">
            <button type="button" class="button primary" id="retry">
              Try again
            </button>
            <button type="button" class="button" id="other">
              Choose another file
            </button>
          </p>
        </div>

        <div data-step="done" hidden>
          <p class="notice good">
            <strong id="done-name" /> is ready to be shared.
          </p>
          <label class="field">
            Link to the file
            <span class="link-row">
              <input type="text" id="link" readonly spellcheck={false} />
              <button type="button" class="button primary" id="copy">
                Copy link
              </button>
            </span>
          </label>
          <p class="actions">
            <a class="button" id="open" href="/">
              Show the file’s page
            </a>
          </p>
        </div>

        <p class="away" id="announce" aria-live="polite" />
        <p class="quiet" data-until-done>
          This link takes one file, until <Moment at={expiresAt} now={now} />.
        </p>
      </section>

      <section class="aside" aria-labelledby="terminal" data-until-done>
        <h2 id="terminal">From a terminal</h2>
        <Copyable text={`curl -T FILE ${link}`} label="the command" />
        <p class="quiet">Put your file’s name for FILE. It answers with the link to share.</p>
      </section>
    </Layout>
  );
}

/** What still fits, and why it is less than usual where it is. */
function roomFor({
  maxBytes,
  limits,
  usage,
}: Pick<UploadPageProps, "maxBytes" | "limits" | "usage">): string {
  const used = `${formatBytes(usage.bytes)} of your ${formatBytes(limits.maxBytes)} are in use`;
  if (maxBytes === 0) return `There is no room left: ${used}. Delete a file with its card in Discord first.`;
  return maxBytes < limits.maxFileSize
    ? `Up to ${formatBytes(maxBytes)}: ${used}.`
    : `Up to ${formatBytes(maxBytes)}.`;
}
