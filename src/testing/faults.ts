import { expect } from "bun:test";
import { WisError } from "../errors.ts";
import type { BlobStore } from "../files/blob-ports.ts";
import type { FileIndex, FileRow } from "../files/ports.ts";
import { allRows } from "../files/rows.ts";
import { reconcile } from "../files/scrub.ts";
import { onlyDisk, type TestDesk, type TestDeskOptions } from "./file-desk.ts";
import { sound, wrapWriters } from "./resumable.ts";

/**
 * `once`: the nth call fails. `lost`: it does its work and then fails, as when an answer gets lost. `all`: it fails,
 * and so does every other call to anything behind it.
 */
export type FaultMode = "once" | "lost" | "all";

export interface Faults {
  options: Pick<TestDeskOptions, "wrapBlobs" | "wrapIndex">;
  /** Counts from now on, and lets the nth call to the disk or to the database fail. */
  arm(where: "disk" | "database", mode: FaultMode, nth: number): void;
  /** Lets everything work again. Gives the name of the first call that failed, if one did. */
  disarm(): string | undefined;
}

/** A disk and a database that fail when they are told to, in words of theirs. */
export function createFaults(): Faults {
  let armed: { where: string; mode: FaultMode; nth: number } | undefined;
  let calls = 0;
  let failed: string | undefined;

  function failing(where: string, name: string): FaultMode | undefined {
    if (!armed) return undefined;
    const { mode, nth } = armed;
    if (mode === "all" && failed !== undefined) return mode;
    if (armed.where !== where) return undefined;
    calls += 1;
    if (calls !== nth) return undefined;
    failed = name;
    return mode;
  }

  function broken(where: string): WisError {
    return where === "disk"
      ? new WisError("disk.full", { say: "The disk is full." })
      : new WisError("database.failed", { say: "The database failed." });
  }

  function wrap<A extends unknown[], R>(
    where: "disk" | "database",
    name: string,
    run: (...args: A) => Promise<R>,
  ): (...args: A) => Promise<R> {
    return async (...args) => {
      const mode = failing(where, name);
      if (mode !== undefined && mode !== "lost") throw broken(where);
      const result = await run(...args);
      if (mode !== undefined) throw broken(where);
      return result;
    };
  }

  function wrapBlobs(blobs: BlobStore): BlobStore {
    const wrapped = wrapWriters(blobs, (writer) => ({
      write: wrap("disk", "write", writer.write),
      commit: wrap("disk", "commit", writer.commit),
      close: wrap("disk", "close", writer.close),
      abort: wrap("disk", "abort", writer.abort),
    }));
    return {
      ...wrapped,
      create: wrap("disk", "create", wrapped.create),
      resume: wrap("disk", "resume", wrapped.resume),
      unfinished: wrap("disk", "unfinished", wrapped.unfinished),
      open: wrap("disk", "open", wrapped.open),
      delete: wrap("disk", "delete", wrapped.delete),
      free: wrap("disk", "free", wrapped.free),
    };
  }

  function wrapIndex(index: FileIndex): FileIndex {
    const wrapped = Object.entries(index).map(([name, run]) => [name, wrap("database", name, run)]);
    return { ...index, ...Object.fromEntries(wrapped) };
  }

  return {
    options: { wrapBlobs, wrapIndex },
    arm(where, mode, nth) {
      armed = { where, mode, nth };
      calls = 0;
      failed = undefined;
    },
    disarm() {
      armed = undefined;
      return failed;
    },
  };
}

const everyRow = (desk: TestDesk) => Array.fromAsync(allRows(desk.store.files, { members: true }));

/** Bytes and rows belong together, and everybody has what their rows add up to. */
export async function expectOrder(desk: TestDesk): Promise<FileRow[]> {
  const rows = await everyRow(desk);
  expect(await desk.verify()).toEqual(sound);
  const sending = new Set(
    rows.filter(({ state }) => state === "uploading").map(({ uploadKey }) => uploadKey),
  );
  for await (const key of desk.blobs.keys()) {
    if (sending.has(key)) continue;
    expect(await desk.store.blobs.find(key), "bytes without a row").toBeDefined();
    expect(await desk.store.blobs.users(key), "bytes without a file").not.toEqual([]);
  }
  for (const ownerId of new Set(rows.map((row) => row.ownerId))) {
    const own = rows.filter((row) => row.ownerId === ownerId);
    expect(await desk.files.usage(ownerId)).toEqual({
      files: own.filter(({ parentId }) => parentId === null).length,
      bytes: own.reduce((sum, { size }) => sum + size, 0),
    });
  }
  return rows;
}

/** What the next start does, and what must be in order after it: no unfinished write is loose either. */
export async function expectRepaired(desk: TestDesk): Promise<FileRow[]> {
  expect(await desk.repair()).toMatchObject({ failed: 0 });
  const rows = await expectOrder(desk);
  const sending = new Set(rows.map(({ state, uploadKey }) => (state === "uploading" ? uploadKey : null)));
  expect(await desk.blobs.sweep((key) => sending.has(key)), "loose fragments").toBe(0);
  return rows;
}

/** What a process does for itself that goes on: the clean-up, and two looks for bytes that belong to nothing. */
export async function lookAfter(desk: TestDesk): Promise<void> {
  const { store, blobs, telemetry, clock } = desk;
  expect(await desk.cleanUp()).toMatchObject({ failed: 0 });
  const deps = {
    index: store.files,
    contents: store.blobs,
    stores: onlyDisk(blobs),
    telemetry,
    now: () => clock.now,
  };
  const { signal } = new AbortController();
  const { suspects } = await reconcile(deps, { place: "disk", suspects: new Set(), signal });
  await reconcile(deps, { place: "disk", suspects, signal });
}
