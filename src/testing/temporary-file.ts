import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file of that name in a folder of its own; both are gone when it is disposed. */
export async function temporaryFile(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<AsyncDisposable & { path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "wisbot-file-"));
  const path = join(folder, name);
  await Bun.write(path, bytes);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
