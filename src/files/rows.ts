import type { FileIndex, FileRow, FileState } from "./ports.ts";

const PAGE = 500;

/** Every row that the filter lets through, newest first, read in pages. */
export async function* allRows(
  index: Pick<FileIndex, "list">,
  filter: { ownerId?: string; states?: FileState[]; members?: boolean },
): AsyncGenerator<FileRow> {
  let after: FileRow | undefined;
  while (true) {
    const page = await index.list({ ...filter, ...(after && { after }), limit: PAGE });
    yield* page;
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}
