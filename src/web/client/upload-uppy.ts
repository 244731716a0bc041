import Uppy from "@uppy/core";
import GoldenRetriever from "@uppy/golden-retriever";
import Tus, { type TusBody } from "@uppy/tus";
import type { Held, Meta } from "./upload-item.ts";
import type { Picked } from "./upload-sources.ts";
import { type TusDeps, tusOptions } from "./upload-tus.ts";

export type Uploads = Uppy<Meta, TusBody>;

// The browser keeps a copy of what is chosen, so that a closed tab comes back with it; larger files are picked again.
const KEPT = { name: "uppy-blobs", maxFileSize: 256e6, maxTotalSize: 1e9 };
const FRESH = { uploadStarted: null, uploadComplete: false, bytesUploaded: false, percentage: 0 } as const;

/** The files of one link. Everything that the browser remembers of them goes by `id`, so that links do not mix. */
export function openUploads({ id, ticket, ...deps }: TusDeps & { id: string; ticket: string }): Uploads {
  const uppy = new Uppy<Meta, TusBody>({ id, meta: { ticket } });
  uppy.use(Tus<Meta, TusBody>, tusOptions(deps));
  uppy.use(GoldenRetriever<Meta, TusBody>, { indexedDB: KEPT });
  // Picked again, it goes on; Uppy would take it for one that is being sent already.
  uppy.on("file-added", (file) => {
    if (file.isRestored) uppy.setFileState(file.id, { progress: { ...file.progress, ...FRESH } });
  });
  return uppy;
}

/** Files picked by a person, as Uppy takes them. */
export function described(picked: Picked[]) {
  return picked.map(({ file, path }) => {
    const meta: Meta = path === undefined ? {} : { relativePath: path };
    return { name: file.name, type: file.type, data: file, meta };
  });
}

/**
 * Of an earlier visit: what has its bytes waits as if just chosen, the others for being picked again. Uppy's own way
 * starts nothing as long as one of them lacks its bytes.
 */
export function revive(uppy: Uploads): void {
  const files = Object.entries(uppy.getState().files).map(([id, file]) => [id, revived(file)] as const);
  uppy.setState({ files: Object.fromEntries(files), currentUploads: {}, recoveredState: null });
}

function revived(file: Held): Held {
  if (file.progress.uploadComplete) return file;
  const progress = file.isGhost ? file.progress : { ...file.progress, ...FRESH };
  return { ...file, progress, isPaused: false, error: null };
}

/** Those without their bytes are worth nothing before anything was announced. */
export function forgetGhosts(uppy: Uploads): void {
  const ghosts = uppy.getFiles().filter((file) => file.isGhost);
  uppy.removeFiles(ghosts.map((file) => file.id));
}

/** Ends the request that a file hangs in or waits to make, and asks anew where it stands. */
export function nudge(uppy: Uploads, id: string): void {
  uppy.pauseResume(id);
  uppy.pauseResume(id);
}
