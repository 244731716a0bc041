import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isWisError } from "../errors.ts";
import { createAuditTrail } from "../files/audit.ts";
import type { BlobStore, BlobStores, BlobWriter } from "../files/blob-ports.ts";
import { type CleanUpReport, cleanUp } from "../files/clean-up.ts";
import { createFiles, type FilesDeps } from "../files/desk.ts";
import { RECORD_LIFE } from "../files/expiry.ts";
import type { Files, Incoming } from "../files/files.ts";
import { createLiveUploads, type Ticker } from "../files/live-uploads.ts";
import { observeBlobs } from "../files/observe-blobs.ts";
import type { PaceRules } from "../files/pace.ts";
import type { FileIndex, Usage } from "../files/ports.ts";
import { type RepairReport, repairFiles } from "../files/repair.ts";
import { type VerifyReport, verifyFiles } from "../files/verify.ts";
import { hashCapability } from "../lib/capability.ts";
import type { FileLimits, Limits } from "../members/limits.ts";
import { openDiskBlobs } from "../store/blobs/disk.ts";
import { openStore, type Store } from "../store/open.ts";
import { openTestTelemetry, type TestTelemetry } from "./telemetry.ts";

export interface TestDeskOptions {
  /** What it leaves out is roomy. A function: of each member. */
  limits?: Partial<FileLimits> | Limits["files"];
  /** Puts faults between the desk and the disk. */
  wrapBlobs?(blobs: BlobStore): BlobStore;
  /** Puts faults between the desk and the database. */
  wrapIndex?(index: FileIndex): FileIndex;
  onProgress?: FilesDeps["onProgress"];
  paceRules?: PaceRules;
  minFreeDisk?: number;
  /** The data dir of a desk that crashed; default a new one. It is removed on dispose either way. */
  dataDir?: string;
  /** `false`: beside the process that holds the data dir's lock. */
  locked?: boolean;
  /** Default: one of its own. */
  clock?: TestDesk["clock"];
}

export interface TestDesk extends AsyncDisposable, Pick<TestTelemetry, "telemetry" | "metrics" | "lines"> {
  files: Files;
  store: Store;
  /** The bare disk, without spans and faults. */
  blobs: BlobStore;
  dataDir: string;
  /** Milliseconds since the epoch; moved by hand, unless it was given. */
  clock: { now: number };
  /** One beat of the watchdog. */
  beat(): void;
  /** How often the outbox was woken. */
  wakes(): number;
  /** `alone: false`: as a command beside the process that holds the lock. */
  cleanUp(options?: { alone?: boolean; signal?: AbortSignal }): Promise<CleanUpReport>;
  repair(): Promise<RepairReport>;
  verify(): Promise<VerifyReport>;
  /** Goes on without anything being undone, as after kill -9: the same data dir, opened anew, with other faults. */
  crash(faults?: Pick<TestDeskOptions, "wrapBlobs" | "wrapIndex">): Promise<TestDesk>;
}

/** As the default of files.tokens_expire_after. */
const TOKEN_LIFE = 90 * 86_400_000;

/** The file desk over a real database and a real disk in a folder of its own. */
export async function openTestDesk(options: TestDeskOptions = {}): Promise<TestDesk> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "wisbot-files-")));
  const opened = await openTestTelemetry();
  const { telemetry, metrics } = opened;
  const store = await openStore({ dataDir, log: telemetry.log });
  const disk = keepingWriters(await openDiskBlobs({ dir: join(dataDir, "files") }));
  const clock = options.clock ?? { now: Date.parse("2026-01-01T00:00:00Z") };
  const now = () => clock.now;
  const ticks = new Set<() => void>();
  const ticker: Ticker = (_, tick) => {
    ticks.add(tick);
    return { [Symbol.dispose]: () => void ticks.delete(tick) };
  };
  let wakes = 0;
  let crashed = false;

  const index = options.wrapIndex?.(store.files) ?? store.files;
  const blobs = observeBlobs({
    blobs: options.wrapBlobs?.(disk) ?? disk,
    telemetry,
    metrics: metrics.files,
  });
  const { blobs: contents, downloads, audit: auditLog, tokens, choices } = store;
  const audit = createAuditTrail({ log: auditLog, telemetry, now });
  const deps = {
    index,
    contents,
    stores: onlyDisk(blobs),
    audit,
    limits: limitsOf(options.limits),
    publicUrl: "http://wisbot.test",
    resumeFor: 86_400_000,
    wake: () => {
      wakes += 1;
    },
    telemetry,
    metrics: metrics.files,
    now,
  };
  const live = createLiveUploads({ ...deps, ticker });
  const keys = { doors: await store.keys.key("doors"), audience: await store.keys.key("audience") };
  const files = createFiles({
    ...deps,
    live,
    downloads,
    auditLog,
    tokens,
    tokenLife: TOKEN_LIFE,
    choices,
    keys,
    locked: options.locked ?? true,
    minFreeDisk: options.minFreeDisk ?? 0,
    ...(options.paceRules && { paceRules: options.paceRules }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });

  async function close() {
    await audit.flush();
    await store[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  }

  return {
    ...opened,
    files,
    store,
    blobs: disk,
    dataDir,
    clock,
    beat() {
      for (const tick of ticks) tick();
    },
    wakes: () => wakes,
    cleanUp: ({ alone = true, signal = new AbortController().signal } = {}) =>
      cleanUp(
        {
          ...deps,
          live: alone ? live : undefined,
          logs: [
            ...[store.announcements, auditLog, downloads].map((log) => {
              return { log, life: RECORD_LIFE };
            }),
            { log: tokens, life: TOKEN_LIFE },
          ],
        },
        signal,
      ),
    repair: () => repairFiles(deps),
    verify: () => verifyFiles(deps, { signal: new AbortController().signal }),
    async crash(faults = {}) {
      crashed = true;
      await close();
      const { limits, paceRules, minFreeDisk } = options;
      const rules = {
        ...(limits && { limits }),
        ...(paceRules && { paceRules }),
        ...(minFreeDisk !== undefined && { minFreeDisk }),
      };
      return await openTestDesk({ ...rules, ...faults, dataDir, clock });
    },
    async [Symbol.asyncDispose]() {
      if (crashed) return;
      await close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The stores of a wisbot that knows the disk alone. */
export function onlyDisk(disk: BlobStore): BlobStores {
  return {
    place: "disk",
    places: ["disk"],
    presigns: false,
    at(place) {
      if (place !== "disk") throw new Error(`no store ${place}`);
      return disk;
    },
  };
}

// A crash leaves writers open. A process that dies takes their file handles along; here the garbage collector would
// find them, and Bun makes that an error of whatever test runs then.
const writers: BlobWriter[] = [];

function keepingWriters(blobs: BlobStore): BlobStore {
  return {
    ...blobs,
    async create(key) {
      const writer = await blobs.create(key);
      writers.push(writer);
      return writer;
    },
    async resume(key) {
      const found = await blobs.resume(key);
      if (found) writers.push(found.writer);
      return found;
    },
  };
}

const roomy: FileLimits = {
  maxFileSize: 100e6,
  maxFiles: 1000,
  maxBytes: 1e9,
  expireAfter: 7 * 86_400_000,
  maxExpireAfter: 100 * 86_400_000,
  linkExpiresAfter: 3_600_000,
};

function limitsOf(given: TestDeskOptions["limits"]): Limits["files"] {
  return typeof given === "function" ? given : () => ({ ...roomy, ...given });
}

/** A body that arrives in these chunks, one a read. */
export function bodyOf(chunks: Iterable<Uint8Array | string>): ReadableStream<Uint8Array> {
  const left = chunks[Symbol.iterator]();
  return new ReadableStream({
    pull(controller) {
      const { done, value } = left.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === "string" ? new TextEncoder().encode(value) : value);
    },
  });
}

/** A body that the test feeds by hand, and that says when somebody waits for it or has given up on it. */
export function slowBody() {
  const cancelled = Promise.withResolvers<unknown>();
  let wanted = Promise.withResolvers<void>();
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        source = controller;
      },
      pull: () => wanted.resolve(),
      cancel: (reason) => cancelled.resolve(reason),
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    cancelled: cancelled.promise,
    /** Resolves when the reader waits for more than was sent. */
    wanted: () => wanted.promise,
    send(text: string) {
      wanted = Promise.withResolvers();
      source?.enqueue(new TextEncoder().encode(text));
    },
    end: () => source?.close(),
    break: (error: Error) => source?.error(error),
  };
}

/** What a sender brings: a text as a body of known length, unless said otherwise. */
export function incoming(given: Partial<Incoming> & { text?: string } = {}): Incoming {
  const { text = "hello", ...rest } = given;
  return {
    name: "hello.txt",
    contentType: undefined,
    length: Buffer.byteLength(text),
    body: bodyOf(text === "" ? [] : [text]),
    signal: new AbortController().signal,
    ...rest,
  };
}

/** The ticket in an upload link. */
export function ticketIn({ url }: { url: string }): string {
  return url.split("/u/")[1] ?? "";
}

/** The code of the WisError that ended it; `no error`, or what else was thrown. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => "no error",
    (error: unknown) => (isWisError(error) ? error.code : error),
  );
}

export interface Trace {
  /** Of the ticket. */
  state: string;
  usage: Usage | undefined;
  blobs: string[];
  /** Unfinished writes. */
  fragments: number;
}

/** Everything that an upload through the only link of its owner could leave behind. Sweeps. */
export async function traceOf({ files, blobs, store }: TestDesk, ticket: string): Promise<Trace> {
  const row = await store.files.findByTicket(hashCapability(ticket));
  return {
    state: (await files.inspect(ticket)).state,
    usage: row && "ownerId" in row ? await files.usage(row.ownerId) : undefined,
    blobs: await Array.fromAsync(blobs.keys()),
    fragments: await blobs.sweep(() => false),
  };
}

/** Nothing reserved, no byte anywhere, and the link open. */
export const givenBack: Trace = { state: "open", usage: { files: 1, bytes: 0 }, blobs: [], fragments: 0 };
