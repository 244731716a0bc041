import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WisError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";

export interface ShownFiles extends AsyncDisposable {
  files: Pick<Files, "get" | "open" | "admits" | "unlock">;
  /** Puts a file on the disk and gives its id. */
  add(name: string, contentType: string, bytes: Uint8Array | string): Promise<string>;
}

const READY_AT = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Real files in a folder of their own, without the rules around them: for what shows files. */
export async function shownFiles(): Promise<ShownFiles> {
  const dir = await mkdtemp(join(tmpdir(), "wisbot-shown-"));
  const rows = new Map<string, StoredFile>();

  return {
    files: {
      async get(id) {
        const file = rows.get(id);
        if (!file) throw new WisError("file.unknown", { say: "There is no such file." });
        return file;
      },
      async open({ id }, range) {
        const whole = Bun.file(join(dir, id));
        return range ? whole.slice(range.start, range.end + 1) : whole;
      },
      admits: ({ passwordHash }) => passwordHash === null,
      async unlock() {
        throw new WisError("password.wrong", { say: "This is not the password." });
      },
    },
    async add(name, contentType, content) {
      const id = `shown-${rows.size}`;
      const bytes = Buffer.from(content);
      await Bun.write(join(dir, id), bytes);
      rows.set(id, {
        id,
        ownerId: "1",
        name,
        contentType,
        size: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        createdAt: READY_AT,
        readyAt: READY_AT,
        expiresAt: READY_AT + 86_400_000,
        title: null,
        note: null,
        passwordHash: null,
        maxDownloads: null,
        downloads: 0,
        members: undefined,
        shareId: id,
        blobKey: id,
        path: null,
        url: `http://wisbot.test/f/${id}`,
      });
      return id;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
