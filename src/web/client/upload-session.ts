import { createPace, type Pace } from "./pace.ts";
import { type Item, type ItemState, itemOf } from "./upload-item.ts";
import { LOST, type Problem } from "./upload-problem.ts";
import { fitting, type Room } from "./upload-room.ts";
import type { Options, ServerFile, ShareState, UploadServer } from "./upload-server.ts";
import type { Picked } from "./upload-sources.ts";
import { forgetUploads } from "./upload-tus.ts";
import { described, forgetGhosts, nudge, openUploads, revive } from "./upload-uppy.ts";
import { sentOf, sizeOf } from "./upload-words.ts";

export type Phase = "choosing" | "sending" | "done";

/** Everything that the page shows. */
export interface View {
  phase: Phase;
  items: Item[];
  /** Files of this link that the server has and that are not among `items`: sent by an earlier visit. */
  elsewhere: ServerFile[];
  /** Announced files of which nothing is known here. */
  missing: number;
  /** The server is being told what will come. */
  starting: boolean;
  /** The connection is away; it goes on by itself. */
  lost: boolean;
  pace: Pace;
  /** Why files were not taken into the list. */
  refused: string[];
  problem: Problem | undefined;
  link: string | undefined;
}

export interface SessionDeps {
  ticket: string;
  room: Room;
  server: UploadServer;
  /** Called after every change, many times a second while sending. */
  changed(): void;
}

const STALLED_MS = 60_000;
const LOOK_EVERY_MS = 5_000;
/** A file in one of these has an end ahead. */
const GOING: ItemState[] = ["waiting", "sending", "paused"];

/** One upload link, from the first file chosen to the address of the share. */
export function createSession({ ticket, room, server, changed }: SessionDeps) {
  const id = `wisbot-${ticket}`;
  const uppy = openUploads({ id, ticket, lost: () => set({ lost: true }) });
  const pace = createPace();
  const begun = new Set<string>();
  let movedAt = performance.now();
  let expected: number | undefined;
  let looked = false;
  let leftOut = 0;
  let shared: string | undefined;
  let arrived: ServerFile[] = [];
  let view: View = {
    phase: "choosing",
    items: [],
    elsewhere: [],
    missing: 0,
    starting: false,
    lost: false,
    pace: { speed: undefined, secondsLeft: undefined },
    refused: [],
    problem: undefined,
    link: undefined,
  };

  function set(part: Partial<View>): void {
    view = { ...view, ...part };
    changed();
  }

  /** Is any file in one of these states? */
  function is(...states: ItemState[]): boolean {
    return view.items.some((item) => states.includes(item.state));
  }

  function list(): void {
    if (view.phase === "done") return;
    const items = uppy.getFiles().map(itemOf);
    const here = new Set(items.map(keyOf));
    const elsewhere = arrived.filter((there) => !here.has(keyOf(there)));
    const ready = elsewhere.filter((there) => there.state === "ready").length;
    const missing = Math.max(0, (expected ?? 0) - leftOut - items.length - ready);
    set({ items, elsewhere, missing });
  }

  function measure(): void {
    const { items } = view;
    set({ pace: pace.add({ at: performance.now(), bytes: sentOf(items) }, sizeOf(items)) });
  }

  function failed(cause: unknown): void {
    console.error("the upload page failed", cause);
    const hint = "Load the page again: what has arrived is kept.";
    set({ problem: { ...LOST, say: "Something went wrong in this page.", hint } });
  }

  /** Sends whatever is here and not sent yet. */
  function go(): void {
    set({ phase: "sending", problem: undefined });
    uppy.upload().then(settle, failed);
  }

  /** When nothing is left to send: shows the share, or finishes it where files were left out. */
  async function settle(): Promise<void> {
    if (view.phase !== "sending" || is(...GOING)) return;
    if (shared && leftOut === 0 && view.missing === 0 && !is("failed", "missing")) return done(shared);
    // A file may be refused because the share is finished already.
    await look();
    const ready = arrived.filter((file) => file.state === "ready").length;
    const complete = leftOut > 0 && ready > 0 && ready + leftOut >= (expected ?? 0);
    if (view.phase === "sending" && complete && !is("failed", "missing")) await finish();
  }

  async function finish(): Promise<void> {
    const answer = await server.finish();
    if ("value" in answer) return done(answer.value);
    set({ problem: answer.problem });
  }

  function done(link: string): void {
    list();
    set({ phase: "done", link: new URL(link, location.href).href, lost: false, problem: undefined });
    uppy.clear();
    remember(() => forgetUploads({ id, now: Date.now() }));
  }

  /** Asks the server how far this link is. */
  async function look(): Promise<void> {
    const answer = await server.look();
    if (view.phase === "done") return;
    if ("problem" in answer) return set({ problem: answer.problem });
    know(answer.value);
  }

  function know({ files, expected: announced, url }: ShareState): void {
    looked = true;
    arrived = files;
    if (url) done(url);
    // A file that comes alone is not counted.
    expected = announced ?? (files.length || undefined);
    list();
  }

  /** Finds out what an earlier visit has left, and goes on with it. */
  async function open(): Promise<void> {
    await look();
    resume();
  }

  function resume(): void {
    if (view.phase === "done") uppy.clear();
    else if (looked && expected === undefined) forgetGhosts(uppy);
    else if (looked && is("chosen")) go();
    else if (looked) set({ phase: "sending" });
  }

  /** Begins anew what waits for a network that has come back, or hangs in one that has gone. */
  function kick(): void {
    pace.restart();
    movedAt = performance.now();
    for (const item of view.items.filter(({ state }) => state === "sending" || state === "waiting"))
      nudge(uppy, item.id);
  }

  function back(): void {
    if (!looked) open().catch(failed);
    if (view.lost) kick();
    for (const item of view.items.filter(({ problem }) => problem === LOST)) retry(item.id);
  }

  function retry(id: string): void {
    begun.delete(id);
    set({ problem: undefined });
    uppy.retryUpload(id).then(settle, failed);
  }

  async function leaveOut(ids: string[]): Promise<void> {
    uppy.removeFiles(ids);
    if (view.phase !== "sending") return;
    if (view.items.length === 0) return cancel();
    leftOut += ids.length;
    await settle();
  }

  /** Takes back everything that has not arrived whole. */
  async function cancel(): Promise<void> {
    uppy.cancelAll();
    leftOut = 0;
    begun.clear();
    set({ lost: false, problem: undefined });
    await look();
    arrived = arrived.filter((file) => file.state === "ready");
    if (view.phase === "sending" && arrived.length === 0) {
      expected = undefined;
      set({ phase: "choosing" });
    }
    list();
  }

  uppy.on("state-update", (before, after) => before.files !== after.files && list());
  uppy.on("restored", () => {
    revive(uppy);
    resume();
  });
  uppy.on("upload-progress", (file, { bytesUploaded }) => {
    movedAt = performance.now();
    if (file && !begun.has(file.id)) {
      begun.add(file.id);
      if (bytesUploaded > 0) pace.restart();
    }
    if (view.lost) set({ lost: false });
    measure();
  });
  uppy.on("upload-success", (file, response) => {
    const last = view.items.every((item) => item.id === file?.id || item.state === "ready");
    // Every file's answer says where the share will be; it is there with the last one.
    if (last) shared = response.body?.xhr.getResponseHeader("Content-Location") ?? undefined;
    set({ lost: false });
  });
  uppy.on("upload-error", () => set({ lost: false }));
  addEventListener("online", back);
  document.addEventListener("visibilitychange", () => !document.hidden && back());
  setInterval(() => {
    if (!is("sending")) movedAt = performance.now();
    else if (performance.now() - movedAt > STALLED_MS) kick();
  }, LOOK_EVERY_MS);
  remember(() => forgetUploads({ id: undefined, now: Date.now() }));

  return {
    view: () => view,
    open,
    pick(picked: Picked[]): void {
      // What an earlier visit has begun is counted in the room already: there the server alone can tell.
      const fits = view.phase === "choosing" ? room : undefined;
      const { taken, refused } = fitting(picked, { room: fits, held: view.items });
      set({ refused });
      uppy.addFiles(described(taken));
      if (view.phase === "sending" && taken.length > 0) go();
    },
    /** Announces the chosen files and begins to send them. */
    async start(options: Options): Promise<void> {
      if (view.starting || view.items.length === 0) return;
      set({ starting: true, problem: undefined, refused: [] });
      const answer = await server.announce({ files: view.items.length, ...options });
      set({ starting: false });
      if ("problem" in answer) return set({ problem: answer.problem });
      expected = view.items.length;
      go();
    },
    remove: (id: string) => leaveOut([id]),
    removeFailed(): Promise<void> {
      const gone = view.items.filter((item) => item.state === "failed" || item.state === "missing");
      return leaveOut(gone.map((item) => item.id));
    },
    pauseOrResume(id: string): void {
      pace.restart();
      uppy.pauseResume(id);
    },
    pauseAll(): void {
      uppy.pauseAll();
      set({ lost: false });
    },
    resumeAll(): void {
      pace.restart();
      uppy.resumeAll();
    },
    failed,
    retry,
    retryAll(): void {
      for (const item of view.items.filter((one) => one.state === "failed")) retry(item.id);
    },
    /** Shares what has arrived and leaves out the rest. */
    finish,
    cancel,
  };
}

export type Session = ReturnType<typeof createSession>;

/** The server knows a file by its name and size. */
const keyOf = ({ name, size }: { name: string; size: number }) => `${size} ${name}`;

/** A browser that allows no storage sends as well; it only can't go on after a closed tab. */
function remember(act: () => void): void {
  try {
    act();
  } catch (denied) {
    console.info("this browser keeps nothing", denied);
  }
}
