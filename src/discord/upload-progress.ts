import { type APIMessage, ComponentType } from "discord.js";
import type { Origin } from "../announce/ports.ts";
import type { FileRow } from "../files/ports.ts";
import { formatBytes } from "../lib/bytes.ts";
import type { Now } from "../lib/clock.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { EditBudget } from "./edit-budget.ts";
import { rateLimitedFor } from "./errors.ts";
import { isReachable, replyTo } from "./origin.ts";
import { note, plain } from "./render.ts";
import type { Body, Messages, Shown } from "./respond.ts";
import { asPreview } from "./rest.ts";
import { createStreamWriter } from "./stream-writer.ts";
import type { Timers } from "./timers.ts";

/** An upload on its way in, of a share by itself or of one file of a bundle. */
export type Arriving = Pick<FileRow, "id" | "parentId" | "name" | "length" | "origin">;

/** Shows in the reply that gave an upload link how far the upload through it is. */
export interface UploadProgress {
  /** How many bytes of an upload are here. For every few hundred kilobytes: it waits for nothing. */
  report(upload: Arriving, received: number): void;
  /** Nothing more is shown of this share. Resolves when no edit is under way. */
  end(shareId: string): Promise<void>;
  /** The same of all of them. */
  drain(): Promise<void>;
}

export interface UploadProgressDeps {
  messages: Pick<Messages, "edit"> & {
    read(shown: Shown): Promise<Pick<APIMessage, "content" | "components">>;
  };
  budget: EditBudget;
  telemetry: Pick<Telemetry, "record">;
  timers: Timers;
  now: Now;
}

/** Between two edits, milliseconds. */
const INTERVAL_MS = 5_000;
/** An upload that is over sooner is not worth an edit. */
const FIRST_MS = 2_000;
/** Nothing came for so long: its sender is gone, or has paused it. */
const SILENT_MS = 60_000;
/** Shares at a time; the others go on unshown. */
const MOST = 200;

export function createUploadProgress(deps: UploadProgressDeps): UploadProgress {
  const { now } = deps;
  const followed = new Map<string, Follower>();
  let draining = false;

  function follow(shareId: string, origin: Origin | null): Follower | undefined {
    if (draining || origin === null || followed.size >= MOST || !isReachable(origin, now())) return undefined;
    const follower = createFollower(deps, origin, () => {
      if (followed.get(shareId) === follower) followed.delete(shareId);
    });
    followed.set(shareId, follower);
    return follower;
  }

  async function end(shareId: string): Promise<void> {
    const follower = followed.get(shareId);
    followed.delete(shareId);
    await follower?.end();
  }

  return {
    report(upload, received) {
      const shareId = upload.parentId ?? upload.id;
      const follower = followed.get(shareId) ?? follow(shareId, upload.origin);
      follower?.report(upload, received);
    },
    end,
    async drain() {
      draining = true;
      await Promise.all([...followed.keys()].map(end));
    },
  };
}

interface Follower {
  report(upload: Arriving, received: number): void;
  end(): Promise<void>;
}

type Latest = Pick<FileRow, "name" | "length"> & { received: number };

/** Follows one share until it ends or falls silent. `onSilent`: the last word of that has been said. */
function createFollower(deps: UploadProgressDeps, origin: Origin, onSilent: () => void): Follower {
  const { messages, budget, telemetry, timers, now } = deps;
  const reply = replyTo(origin);
  const meter = createMeter(now);
  let base: Body | undefined;
  let latest: Latest | undefined;
  let lastAt = now();
  let quiet = false;
  let ended = false;
  let falling: Promise<void> | undefined;

  const writer = createStreamWriter<Latest>({
    write: (upload) =>
      asPreview(() => show(() => `Receiving ${nameOf(upload)}: ${howFar(upload)}${meter.rate()}`)),
    // Not the channel's own slots: Discord counts the edits of each interaction's reply by themselves, for its token is
    // the major parameter. https://discord.com/developers/docs/topics/rate-limits
    book: (notBefore) =>
      budget.book({ token: origin.interactionToken }, Math.max(notBefore, meter.startedAt + FIRST_MS)),
    onRefused: () => {},
    interval: INTERVAL_MS,
    timers,
    now,
  });

  /** Puts a line below what the reply says. Throws what Discord does, recorded where it is no matter of pace. */
  async function show(line: () => string): Promise<void> {
    if (quiet || !isReachable(origin, now())) return;
    try {
      base ??= await readBase();
      await messages.edit(reply, { ...base, content: `${base.content}\n${note(line())}` });
    } catch (error) {
      if (rateLimitedFor(error) === undefined) {
        quiet = true;
        telemetry.record(error, "showing how far an upload is");
      }
      throw error;
    }
  }

  /** What the reply says by itself: the link must stay in reach of who has to begin again. */
  async function readBase(): Promise<Body> {
    const { content, components = [] } = await messages.read(reply);
    const lines = content.split("\n").filter((line) => !isProgress(line));
    const rows = components.flatMap((one) => (one.type === ComponentType.ActionRow ? one : []));
    return { content: lines.join("\n"), components: rows };
  }

  let cancel = watch(SILENT_MS);

  function watch(ms: number): () => void {
    return timers.after(ms, () => {
      const left = lastAt + SILENT_MS - now();
      if (left > 0) cancel = watch(left);
      else falling = fallSilent().finally(onSilent);
    });
  }

  async function fallSilent(): Promise<void> {
    await writer.stop();
    const upload = latest;
    // Whole, it only waits to be announced. One that was never shown needs no end.
    if (ended || !upload || upload.received === upload.length || !base) return;
    // Recorded where it is thrown.
    await Promise.allSettled([
      show(() => `Stopped: ${nameOf(upload)} at ${howFar(upload)}. Open the link again to go on.`),
    ]);
  }

  return {
    report({ id, name, length }, received) {
      lastAt = now();
      meter.count(id, received);
      latest = { name, length, received };
      if (!quiet) writer.update(latest);
    },
    async end() {
      ended = true;
      cancel();
      await writer.stop();
      await falling;
    },
  };
}

/** Whether a line of the reply is one of ours, left by a process that was killed meanwhile. */
const isProgress = (line: string) => /^-# (?:Receiving|Stopped:) /.test(line);

const nameOf = ({ name }: Latest) => plain(name ?? "a file", 100);

function howFar({ length, received }: Latest): string {
  if (length === null || length === 0) return formatBytes(received);
  return `${Math.floor((100 * received) / length)}% of ${formatBytes(length)}`;
}

/** How fast all files of a share come in together. */
function createMeter(now: Now) {
  const startedAt = now();
  const received = new Map<string, number>();
  let bytes = 0;
  let since = { at: startedAt, bytes: 0 };
  return {
    startedAt,
    count(id: string, now: number): void {
      // What was there before we heard of it has not come in since.
      bytes += Math.max(0, now - (received.get(id) ?? now));
      received.set(id, now);
    },
    /** Since it was last asked. */
    rate(): string {
      const seconds = (now() - since.at) / 1000;
      const came = bytes - since.bytes;
      since = { at: now(), bytes };
      return seconds > 0 && came > 0 ? `, ${formatBytes(came / seconds)}/s` : "";
    },
  };
}
