import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import type { Source } from "./byte-ranges.ts";

/** A file's own bytes. */
export function sourceOf(files: Pick<Files, "open">, file: StoredFile): Source {
  return {
    size: file.size,
    etag: file.sha256,
    modifiedAt: file.readyAt,
    open: (range) => files.open(file, range),
  };
}

/** Bytes of a ZIP that are gathered, so that its answer has a length. They are held for as long as nobody reads them. */
const GATHERED = 65_536;

/** A bundle as one ZIP: its length and every range of it are known without reading a file. */
export async function zipSource(
  files: Pick<Files, "zip">,
  bundle: StoredFile,
  signal: AbortSignal,
): Promise<Source> {
  const { size, etag, read } = await files.zip(bundle);
  return {
    size,
    etag,
    modifiedAt: bundle.readyAt,
    async open(range = { start: 0, end: size - 1 }) {
      const bytes = read(range, signal);
      // Bun sends every stream in chunks, whatever length was said [oven-sh/bun#10507]: a short one is gathered.
      return range.end - range.start < GATHERED ? await new Response(bytes).blob() : bytes;
    },
  };
}
