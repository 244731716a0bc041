import type { Now } from "../lib/clock.ts";
import type { FileIndex, FileRow, FileState, StoredFile } from "./ports.ts";
import { storedFile } from "./stored.ts";

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

/** One page of an owner's shares, newest first: see Files.page. Full even where the clean-up has yet to come by. */
export async function pageOfShares(
  { index, publicUrl, now }: { index: Pick<FileIndex, "list">; publicUrl: string; now: Now },
  ownerId: string,
  { after, limit }: { after?: Pick<FileRow, "id" | "createdAt">; limit: number },
): Promise<StoredFile[]> {
  const shares: StoredFile[] = [];
  let last = after;
  while (true) {
    const rows = await index.list({ ownerId, states: ["ready"], limit, ...(last && { after: last }) });
    shares.push(...rows.flatMap((row) => storedFile(row, now(), publicUrl) ?? []));
    last = rows.at(-1);
    if (shares.length >= limit || rows.length < limit) return shares.slice(0, limit);
  }
}
