import { getDroppedFiles } from "@uppy/core/utils";

/** A file that a person picked. `path` is its place in the folder that it came with, `photos/a.jpg`. */
export interface Picked {
  file: File;
  path: string | undefined;
}

/** What an input holds; emptied, so that picking the same file again is noticed. */
export function takeFrom(input: HTMLInputElement): Picked[] {
  const picked = [...(input.files ?? [])].map((file) => ({
    file,
    path: file.webkitRelativePath || undefined,
  }));
  input.value = "";
  return picked;
}

/** Everything dropped, folders with all that they hold. */
async function dropped(transfer: DataTransfer): Promise<Picked[]> {
  const unread: unknown[] = [];
  const logDropError = (error: unknown) => unread.push(error);
  const files = await getDroppedFiles(transfer, { logDropError });
  for (const error of unread) console.warn("something dropped could not be read", error);
  return files.map((file) => ({ file, path: pathOf(file) }));
}

// Uppy writes the place in a dropped folder on the file itself.
function pathOf(file: File & { relativePath?: string | null }): string | undefined {
  return file.relativePath?.replace(/^\/+/, "") || undefined;
}

interface Catching {
  pick(files: Picked[]): void;
  /** Something is held over the page, or no longer. */
  hover(over: boolean): void;
  failed(error: unknown): void;
}

/** The whole window takes files: a drop beside the frame would otherwise leave the page. Pasted ones as well. */
export function catchFiles({ pick, hover, failed }: Catching): void {
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    hover(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) hover(false);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    hover(false);
    if (event.dataTransfer) dropped(event.dataTransfer).then(pick, failed);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    pick(files.map((file) => ({ file, path: undefined })));
  });
}
