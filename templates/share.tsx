/** @jsxImportSource hono/jsx */
import { raw } from "hono/html";
import { renderSVG } from "uqr";
import { formatBytes } from "../src/lib/bytes.ts";
import { count } from "../src/lib/count.ts";
import { Copyable } from "./copy.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { Moment } from "./moment.tsx";
import { Preview, type PreviewAssets, type PreviewContent } from "./preview.tsx";

export interface SharedFile {
  id: string;
  name: string;
  /** Bytes; of a bundle, all of its files together. */
  size: number;
  contentType: string;
  /** Hex. */
  sha256: string;
  expiresAt: number;
  title: string | null;
  note: string | null;
  /** Null: as often as anybody likes. */
  maxDownloads: number | null;
  downloads: number;
  /** How many files a bundle has; undefined for a file. */
  members: number | undefined;
  /** Absolute address of this page. */
  url: string;
}

type SharePageProps = Frame & {
  file: SharedFile;
  /** The files of a bundle. */
  members: Pick<SharedFile, "id" | "name" | "size">[];
  /** Their places in it, with folders. */
  paths: string[];
  preview: { assets: PreviewAssets; content: PreviewContent };
  /** Absolute address of a picture for link previews. */
  picture: string | undefined;
  /** The bundle that this file is one of. */
  bundleUrl: string | undefined;
  now: number;
};

/** Rows of a bundle's list; its ZIP has them all. */
const MAX_ROWS = 500;

export function SharePage(props: SharePageProps) {
  const { assets, version, file, members, preview, picture, bundleUrl, now } = props;
  const heading = headingOf(file);
  return (
    <Layout
      assets={assets}
      version={version}
      title={`${heading} – WisBot`}
      card={{ title: heading, description: summary(file), url: file.url, picture }}
    >
      <section class="card file">
        {bundleUrl && (
          <p class="eyebrow">
            <a href={bundleUrl}>All files of this share</a>
          </p>
        )}
        <div class="file-head">
          <span class="badge" aria-hidden="true">
            {file.members === undefined ? extensionOf(file.name) : "ZIP"}
          </span>
          <div>
            <h1 class="file-name">{heading}</h1>
            <p class="quiet">{kindOf(file)}</p>
          </div>
        </div>
        {file.note && <p class="sender-note">{file.note}</p>}
        <Download file={file} />
        <Facts file={file} now={now} />
      </section>
      {file.members === undefined ? (
        <Preview
          assets={preview.assets}
          name={file.name}
          view={`/f/${file.id}/view`}
          content={preview.content}
        />
      ) : (
        <Members members={members} paths={props.paths} />
      )}
      <details class="aside qr">
        <summary>Open on a phone</summary>
        <div class="qr-code" role="img" aria-label={`QR code of ${file.url}`}>
          {raw(renderSVG(file.url, { border: 2 }))}
        </div>
        <Copyable text={file.url} label="the link" />
      </details>
      <p class="note">
        {file.members === undefined ? "The file comes" : "The files come"} from a member of the community.
        Open {file.members === undefined ? "it" : "them"} only if you trust whoever gave you this link.
      </p>
    </Layout>
  );
}

function Download({ file }: { file: SharedFile }) {
  const left = file.maxDownloads === null ? undefined : Math.max(file.maxDownloads - file.downloads, 0);
  if (left === 0) {
    return (
      <p class="notice bad">
        This link has been downloaded as often as its sender allows. A download that was cut can still be gone
        on with: <a href={`/f/${file.id}/download`}>go on</a>.
      </p>
    );
  }
  return (
    <>
      <p class="actions">
        <a class="button primary wide" href={`/f/${file.id}/download`} download>
          {file.members === undefined ? "Download" : "Download all as ZIP"}{" "}
          <span class="thin">{formatBytes(file.size)}</span>
        </a>
      </p>
      {left !== undefined && (
        <p class="notice">
          {left === 1
            ? "This can be downloaded once more. If the download is cut, you can go on with it."
            : `This can be downloaded ${left} more times.`}
        </p>
      )}
    </>
  );
}

function Facts({ file, now }: { file: SharedFile; now: number }) {
  return (
    <dl class="facts">
      <dt>Available until</dt>
      <dd>
        <Moment at={file.expiresAt} now={now} countdown />
      </dd>
      {file.title && file.members === undefined && (
        <>
          <dt>Name</dt>
          <dd class="file-name">{file.name}</dd>
        </>
      )}
      <dt>Exact size</dt>
      <dd>{file.size.toLocaleString("en-GB")} bytes</dd>
      {file.members === undefined && (
        <>
          <dt>SHA-256</dt>
          <dd>
            <Copyable text={file.sha256} label="SHA-256" />
          </dd>
        </>
      )}
    </dl>
  );
}

function Members({ members, paths }: Pick<SharePageProps, "members" | "paths">) {
  const shown = members.slice(0, MAX_ROWS);
  return (
    <section class="card" aria-labelledby="members">
      <h2 id="members">{count(members.length, "file")}</h2>
      <ul class="members">
        {shown.map(({ id, name, size }, index) => (
          <li>
            <a href={`/f/${id}`}>{paths[index] ?? name}</a>
            <span class="quiet">{formatBytes(size)}</span>
          </li>
        ))}
      </ul>
      {members.length > shown.length && (
        <p class="quiet">And {members.length - shown.length} more, all of them in the ZIP.</p>
      )}
    </section>
  );
}

type PasswordPageProps = Frame & {
  id: string;
  url: string;
  /** Why the last try failed. */
  refusal: string | undefined;
};

/** Before a share with a password. It tells nothing of what is behind it. */
export function PasswordPage({ assets, version, id, url, refusal }: PasswordPageProps) {
  const card = { title: "A share with a password", description: "Open it to type the password.", url };
  return (
    <Layout
      assets={assets}
      version={version}
      title="Password – WisBot"
      card={{ ...card, picture: undefined }}
    >
      <section class="card">
        <h1>This share has a password</h1>
        <p class="lead">Whoever sent you the link knows it.</p>
        <form method="post" action={`/f/${id}`}>
          <label class="field">
            Password
            <input
              type="password"
              name="password"
              required
              autofocus
              autocomplete="off"
              maxlength={1024}
              {...(refusal && { "aria-invalid": "true", "aria-describedby": "refusal" })}
            />
          </label>
          {refusal && (
            <p class="notice bad" id="refusal" role="alert">
              {refusal}
            </p>
          )}
          <p class="actions">
            <button type="submit" class="button primary">
              Open
            </button>
          </p>
        </form>
      </section>
    </Layout>
  );
}

/** A bundle is its files, not the ZIP that they may come in. */
function headingOf({ title, name, members }: SharedFile): string {
  if (title !== null) return title;
  return members === undefined ? name : name.replace(/\.zip$/, "");
}

function kindOf({ size, contentType, members }: SharedFile): string {
  const what = members === undefined ? contentType : count(members, "file");
  return `${formatBytes(size)} · ${what}`;
}

const UNTIL = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

/** What a link preview says: it can't count down. */
function summary(file: SharedFile): string {
  const until = `until ${UNTIL.format(file.expiresAt)} UTC`;
  return [kindOf(file), until, file.note].filter(Boolean).join(" · ").slice(0, 300);
}

/** At most four letters for the badge; a file without extension gets a general one. */
function extensionOf(name: string): string {
  const extension = /\.([A-Za-z0-9]{1,4})$/.exec(name)?.[1];
  return extension?.toUpperCase() ?? "FILE";
}
