/** @jsxImportSource hono/jsx */
import type { HtmlEscapedString } from "hono/utils/html";
import { formatBytes } from "../src/lib/bytes.ts";

/** Addresses of what previews load. They change with the content. */
export interface PreviewAssets {
  previewStyle: string;
  /** Colours code, in a worker. */
  code: string;
  codeWorker: string;
  /** Draws PDFs, with the parts of pdf.js. `pdfDecoders` ends in a slash. */
  pdf: string;
  pdfLibrary: string;
  pdfWorker: string;
  pdfDecoders: string;
}

/** What there is to show of a file. */
export type PreviewContent =
  | { kind: "none" }
  | { kind: "image" | "audio" | "video" | "pdf" }
  | {
      kind: "text";
      text: string;
      /** As highlight.js calls it; undefined for prose. */
      language: string | undefined;
      /** The file goes on after these bytes; undefined when this is all of it. */
      cutAt: number | undefined;
    }
  | { kind: "markdown"; html: HtmlEscapedString };

export interface PreviewProps {
  assets: PreviewAssets;
  name: string;
  /** Where the bytes are, for kinds that the browser shows itself. */
  view: string;
  content: PreviewContent;
}

/** A file on its share page. Gives nothing for what can't be shown. */
export function Preview(props: PreviewProps) {
  if (props.content.kind === "none") return null;
  return (
    <div class="preview">
      <link rel="stylesheet" href={props.assets.previewStyle} />
      <Content {...props} />
    </div>
  );
}

function Content({ assets, name, view, content }: PreviewProps) {
  switch (content.kind) {
    case "none":
      return null;
    case "image":
      return <img class="preview-picture" src={view} alt={name} loading="lazy" decoding="async" />;
    case "audio":
      // biome-ignore lint/a11y/useMediaCaption: nobody but its sender could write captions for it.
      return <audio class="preview-sound" src={view} controls preload="metadata" aria-label={name} />;
    case "video":
      return (
        // biome-ignore lint/a11y/useMediaCaption: nobody but its sender could write captions for it.
        <video class="preview-picture" src={view} controls playsinline preload="metadata" aria-label={name} />
      );
    case "pdf":
      return <Pdf assets={assets} name={name} view={view} />;
    case "text":
      return <Text assets={assets} name={name} content={content} />;
    case "markdown":
      return <article class="preview-article">{content.html}</article>;
  }
}

function Pdf({ assets, name, view }: Omit<PreviewProps, "content">) {
  return (
    <>
      <section
        class="preview-scroll preview-pdf"
        data-pdf={view}
        data-library={assets.pdfLibrary}
        data-worker={assets.pdfWorker}
        data-decoders={assets.pdfDecoders}
        tabindex={0}
        aria-label={`Pages of ${name}`}
      >
        <p class="preview-status" data-status role="status" />
        <noscript>
          <p class="preview-status">Showing a PDF here needs JavaScript. Download the file to read it.</p>
        </noscript>
      </section>
      <script src={assets.pdf} defer />
    </>
  );
}

function Text({
  assets,
  name,
  content: { text, language, cutAt },
}: Pick<PreviewProps, "assets" | "name"> & { content: PreviewContent & { kind: "text" } }) {
  return (
    <>
      <section class="preview-scroll" tabindex={0} aria-label={`Contents of ${name}`}>
        <pre class={language ? "preview-code" : "preview-code prose"}>
          <code {...(language && { "data-language": language, "data-worker": assets.codeWorker })}>
            {text}
          </code>
        </pre>
      </section>
      {cutAt !== undefined && (
        <p class="preview-note">
          Only the first {formatBytes(cutAt)} are shown. Download the file to see all of it.
        </p>
      )}
      {language && <script src={assets.code} defer />}
    </>
  );
}
