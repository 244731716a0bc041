/** @jsxImportSource hono/jsx */
import { formatBytes } from "../src/lib/bytes.ts";
import { Copyable } from "./copy.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { Moment } from "./moment.tsx";
import type { SharedFile } from "./share.tsx";

const NEW_LINK = (
  <p>
    Each link is good for one upload: for a new one, type <code>/wis upload</code> in Discord.
  </p>
);

type Uploaded = Pick<SharedFile, "id" | "name" | "size" | "url">;

/**
 * The link did its work, just now or a while ago: a form without JavaScript leads here as well. `file` is undefined once
 * what it took is gone.
 */
export function UploadUsedPage({ assets, version, file }: Frame & { file: Uploaded | undefined }) {
  return (
    <Layout assets={assets} version={version} title={file ? "Uploaded – WisBot" : "Link used – WisBot"}>
      <section class="card">
        <p class="eyebrow">This upload link has been used</p>
        {file ? <Taken file={file} /> : <Gone />}
        {NEW_LINK}
      </section>
    </Layout>
  );
}

function Taken({ file }: { file: Uploaded }) {
  return (
    <>
      <h1>Uploaded</h1>
      <p class="lead">It is ready to be shared. Whoever has its link can download it:</p>
      <p class="actions">
        <a class="button primary" href={`/f/${file.id}`}>
          <span class="clip">{file.name}</span> <span class="thin">{formatBytes(file.size)}</span>
        </a>
      </p>
      <Copyable text={file.url} label="the link" />
    </>
  );
}

function Gone() {
  return (
    <>
      <h1>What came through this link is gone</h1>
      <p class="lead">It has expired, or was deleted.</p>
    </>
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
