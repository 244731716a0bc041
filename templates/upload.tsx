/** @jsxImportSource hono/jsx */
import { formatBytes } from "../src/lib/bytes.ts";
import { formatDuration } from "../src/lib/duration.ts";
import { Copyable } from "./copy.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { Moment } from "./moment.tsx";
import { UploadOptions } from "./upload-options.tsx";

type UploadPageProps = Frame & {
  /** Path of this page, without a trailing slash. */
  address: string;
  /** The whole link with a trailing slash, as curl wants it. */
  link: string;
  /** The largest file that can be taken now, bytes. */
  maxBytes: number;
  /** How many files can be taken now. */
  maxFiles?: number;
  /** Sizes in bytes, times in milliseconds. */
  limits: { maxFileSize: number; maxBytes: number; expireAfter: number; maxExpireAfter: number };
  usage: { bytes: number };
  /** When the owner's next file goes by itself, and makes room. */
  spaceAt: number | undefined;
  /** When the link ends. */
  expiresAt: number;
  now: number;
};

/**
 * Takes files. The form is for browsers without script; the script puts its own page in place of it and keeps the
 * options.
 */
export function UploadPage({
  assets,
  version,
  address,
  link,
  maxBytes,
  maxFiles,
  limits,
  usage,
  spaceAt,
  expiresAt,
  now,
}: UploadPageProps) {
  return (
    <Layout assets={assets} version={version} title="Upload files – WisBot" uploads>
      <section
        class="card"
        id="upload"
        data-address={address}
        data-ticket={address.split("/").at(-1)}
        data-max-file-bytes={String(maxBytes)}
        data-max-bytes={String(Math.max(0, limits.maxBytes - usage.bytes))}
        data-max-files={String(maxFiles ?? Number.MAX_SAFE_INTEGER)}
      >
        <h1 id="title">Upload files</h1>
        <p class="lead" data-phases="choosing">
          {roomFor({ maxBytes })} Kept for {formatDuration(limits.expireAfter)}, then deleted.
        </p>
        <Room limits={limits} usage={usage} spaceAt={spaceAt} now={now} />

        <form id="plain" class="step" method="post" enctype="multipart/form-data" action={address}>
          {/* Before the files: the server reads a form in its order, and has to know these first. */}
          <UploadOptions limits={limits} />
          <label class="field">
            Files
            <input type="file" name="file" multiple required />
          </label>
          <p class="actions">
            <button type="submit" class="button primary">
              Upload
            </button>
          </p>
        </form>

        <p class="quiet" data-phases="choosing">
          Several files are shared together under one link. This page works until{" "}
          <Moment at={expiresAt} now={now} />.
        </p>
      </section>

      <section class="aside" aria-labelledby="terminal" data-phases="choosing">
        <h2 id="terminal">From a terminal</h2>
        <Copyable text={`curl -T FILE ${link}`} label="the command" />
        <p class="quiet">Put your file’s name for FILE. It answers with the link to share.</p>
      </section>
    </Layout>
  );
}

/** What is used and left of the owner's room, and when some comes back. */
function Room({
  limits,
  usage,
  spaceAt,
  now,
}: Pick<UploadPageProps, "limits" | "usage" | "spaceAt" | "now">) {
  const left = Math.max(0, limits.maxBytes - usage.bytes);
  return (
    <div class="room" data-phases="choosing">
      <meter
        min={0}
        max={limits.maxBytes}
        high={limits.maxBytes * 0.9}
        value={usage.bytes}
        aria-label="Your room in use"
      />
      <p class="quiet">
        {formatBytes(usage.bytes)} of your {formatBytes(limits.maxBytes)} are in use, {formatBytes(left)}{" "}
        left.
        {spaceAt !== undefined && usage.bytes > 0 && (
          <>
            {" "}
            The next file goes <Moment at={spaceAt} now={now} />.
          </>
        )}
      </p>
    </div>
  );
}

function roomFor({ maxBytes }: Pick<UploadPageProps, "maxBytes">): string {
  return maxBytes === 0
    ? "There is no room left. Delete a file with /wis files in Discord first."
    : `Up to ${formatBytes(maxBytes)} a file.`;
}
