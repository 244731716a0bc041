/** @jsxImportSource hono/jsx */
import { formatBytes } from "../src/lib/bytes.ts";
import { Copyable } from "./copy.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { Moment } from "./moment.tsx";
import type { SharedFile } from "./share.tsx";

const NEW_LINK = (
  <p>
    For a new one, type <code>/wis upload</code> in Discord.
  </p>
);

type Uploaded = Pick<SharedFile, "id" | "name" | "size" | "url">;

function UploadedFile({ file }: { file: Uploaded }) {
  return (
    <>
      <p class="actions">
        <a class="button primary" href={`/f/${file.id}`}>
          <span class="clip">{file.name}</span> <span class="thin">{formatBytes(file.size)}</span>
        </a>
      </p>
      <Copyable text={file.url} label="the link" />
    </>
  );
}

/** The end of an upload in a browser without JavaScript. */
export function UploadDonePage({ assets, version, file }: Frame & { file: Uploaded }) {
  return (
    <Layout assets={assets} version={version} title="Uploaded – WisBot">
      <section class="card">
        <h1>Uploaded</h1>
        <p class="lead">It is ready to be shared. Whoever has this link can download it:</p>
        <UploadedFile file={file} />
      </section>
    </Layout>
  );
}

/** The link did its work. `file` is undefined once what it took is gone. */
export function UploadUsedPage({ assets, version, file }: Frame & { file: Uploaded | undefined }) {
  return (
    <Layout assets={assets} version={version} title="Link used – WisBot">
      <section class="card">
        <p class="eyebrow">Upload link</p>
        <h1>This link has been used</h1>
        <p class="lead">
          {file
            ? "Each link is good for one upload. This one took:"
            : "Each link is good for one upload. What this one took is no longer here."}
        </p>
        {file && <UploadedFile file={file} />}
        {NEW_LINK}
      </section>
    </Layout>
  );
}

export function UploadExpiredPage({ assets, version, at, now }: Frame & { at: number; now: number }) {
  return (
    <Layout assets={assets} version={version} title="Link expired – WisBot">
      <section class="card">
        <p class="eyebrow">Upload link</p>
        <h1>This link has expired</h1>
        <p class="lead">
          It ended on <Moment at={at} now={now} /> without taking a file.
        </p>
        {NEW_LINK}
      </section>
    </Layout>
  );
}

export function UploadBusyPage({ assets, version, address }: Frame & { address: string }) {
  return (
    <Layout assets={assets} version={version} title="Upload running – WisBot">
      <section class="card">
        <p class="eyebrow">Upload link</p>
        <h1>A file is being sent with this link</h1>
        <p class="lead">Each link takes one file. Load this page again to see what became of it.</p>
        <p class="actions">
          <a class="button" href={address}>
            Load again
          </a>
        </p>
      </section>
    </Layout>
  );
}
