import { configSchema } from "../config/schema.ts";
import { WisError } from "../errors.ts";
import type { Files, IssuedTicket } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { newCapability } from "../lib/capability.ts";
import { limitsFrom } from "../members/limits.ts";
import { type Member, mayManage } from "../members/member.ts";

/** What the Discord edge asks of the file desk, kept in memory. */
export interface Shelf {
  files: Files;
  /** Puts a ready file on it. */
  put(file: Partial<StoredFile>): StoredFile;
  /** The bytes of files that were added, by id. */
  readonly bytes: Map<string, string>;
  readonly issued: (IssuedTicket & Parameters<Files["issue"]>[0])[];
  /** `issue` and `add` are refused with it. */
  refuse(error: WisError): void;
}

const BASE = "http://127.0.0.1:8080";

export function createShelf({ now }: { now: () => number }): Shelf {
  const { files: limits } = limitsFrom(configSchema.parse({}));
  const stored = new Map<string, StoredFile>();
  const bytes = new Map<string, string>();
  const issued: Shelf["issued"] = [];
  let refusal: WisError | undefined;

  function put(file: Partial<StoredFile>): StoredFile {
    const id = newCapability();
    const whole = {
      id,
      ownerId: "1",
      name: "holiday.zip",
      size: 1_500_000,
      contentType: "application/zip",
      sha256: "0".repeat(64),
      readyAt: now(),
      expiresAt: now() + limits.expireAfter,
      url: `${BASE}/f/${id}`,
      ...file,
    };
    stored.set(whole.id, whole);
    return whole;
  }

  function managed(id: string, by: Member | "admin"): StoredFile {
    const file = stored.get(id);
    if (!file) throw new WisError("file.unknown", { say: "There is no such file any more." });
    if (by !== "admin" && !mayManage(by, file.ownerId)) {
      throw new WisError("forbidden", { say: "Only the owner of this file and moderators may do that." });
    }
    return file;
  }

  function outside(): never {
    throw new Error("the Discord edge has no use for this");
  }

  const files: Files = {
    async issue(input) {
      if (refusal) throw refusal;
      const url = `${BASE}/u/${newCapability()}`;
      const ticket = { fileId: newCapability(), url, expiresAt: now() + limits.linkExpiresAfter, limits };
      issued.push({ ...ticket, ...input });
      return ticket;
    },
    async add({ ownerId }, { name, body, contentType = "" }) {
      if (refusal) throw refusal;
      const text = await new Response(body).text();
      const file = put({ ownerId, name, contentType, size: text.length });
      bytes.set(file.id, text);
      return file;
    },
    get: async (id) => managed(id, "admin"),
    async extend(id, by) {
      return put({ ...managed(id, by), expiresAt: now() + limits.expireAfter });
    },
    async remove(id, by) {
      managed(id, by);
      stored.delete(id);
    },
    limits: () => limits,
    inspect: outside,
    upload: outside,
    open: outside,
    list: outside,
    usage: outside,
  };

  return {
    files,
    put,
    bytes,
    issued,
    refuse(error) {
      refusal = error;
    },
  };
}
