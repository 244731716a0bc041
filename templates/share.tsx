/** @jsxImportSource hono/jsx */
import { formatBytes } from "../src/lib/bytes.ts";
import { Copyable } from "./copy.tsx";
import { type Frame, Layout } from "./layout.tsx";
import { Moment } from "./moment.tsx";

export interface SharedFile {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  contentType: string;
  /** Hex. */
  sha256: string;
  expiresAt: number;
}

export function SharePage({ assets, version, file, now }: Frame & { file: SharedFile; now: number }) {
  return (
    <Layout assets={assets} version={version} title={`${file.name} – WisBot`}>
      <section class="card file">
        <div class="file-head">
          <span class="badge" aria-hidden="true">
            {extensionOf(file.name)}
          </span>
          <div>
            <h1 class="file-name">{file.name}</h1>
            <p class="quiet">
              {formatBytes(file.size)} · {file.contentType}
            </p>
          </div>
        </div>
        <p class="actions">
          <a class="button primary wide" href={`/f/${file.id}/download`} download>
            Download <span class="thin">{formatBytes(file.size)}</span>
          </a>
        </p>
        <dl class="facts">
          <dt>Available until</dt>
          <dd>
            <Moment at={file.expiresAt} now={now} />
          </dd>
          <dt>Exact size</dt>
          <dd>{file.size.toLocaleString("en-GB")} bytes</dd>
          <dt>SHA-256</dt>
          <dd>
            <Copyable text={file.sha256} label="SHA-256" />
          </dd>
        </dl>
      </section>
      <p class="note">
        The file comes from a member of the community. Open it only if you trust whoever gave you this link.
      </p>
    </Layout>
  );
}

/** At most four letters for the badge; a file without extension gets a general one. */
function extensionOf(name: string): string {
  const extension = /\.([A-Za-z0-9]{1,4})$/.exec(name)?.[1];
  return extension?.toUpperCase() ?? "FILE";
}
