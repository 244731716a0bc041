import type { PreviewContent } from "../../templates/preview.tsx";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { previewOf, TEXT_HEAD, type TextPreview } from "./preview.ts";
import { createRecent } from "./preview-recent.ts";
import { readHead } from "./preview-text.ts";

export interface Previews {
  /**
   * What the share page shows of a file. Texts are read, and those that turn out to be none are not shown; the bytes
   * of everything else are fetched by the browser (routes/view.ts). Throws WisError file.unknown, file.corrupt.
   */
  contentOf(file: StoredFile): Promise<PreviewContent>;
}

/** Of Markdown that was laid out lately. */
const KEPT_CHARACTERS = 4_000_000;

export function createPreviews({ files }: { files: Pick<Files, "open"> }): Previews {
  const recent = createRecent(KEPT_CHARACTERS);

  async function textContent(file: StoredFile, preview: TextPreview): Promise<PreviewContent> {
    const range = file.size > TEXT_HEAD ? { start: 0, end: TEXT_HEAD - 1 } : undefined;
    const head = await readHead(await files.open(file, range), file.size);
    if (!head) return { kind: "none" };
    if (preview.kind === "markdown" && !head.truncated) {
      // Loaded only here: most pages show none, and a start should not wait for it.
      const { renderMarkdown } = await import("./preview-markdown.ts");
      const html = await recent.of(file.sha256, () => renderMarkdown(head.text));
      if (html) return { kind: "markdown", html };
    }
    return {
      kind: "text",
      text: head.text,
      language: languageOf(preview),
      cutAt: head.truncated ? TEXT_HEAD : undefined,
    };
  }

  return {
    async contentOf(file) {
      const preview = previewOf(file);
      switch (preview.kind) {
        case "none":
        case "image":
        case "audio":
        case "video":
        case "pdf":
          return { kind: preview.kind };
        default:
          return textContent(file, preview);
      }
    },
  };
}

function languageOf(preview: TextPreview): string | undefined {
  if (preview.kind === "text") return undefined;
  return preview.kind === "code" ? preview.language : "markdown";
}
