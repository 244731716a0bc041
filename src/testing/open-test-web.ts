import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, configSchema } from "../config/schema.ts";
import type { PartState } from "../doctor/ports.ts";
import { createAuditTrail } from "../files/audit.ts";
import type { BlobStore } from "../files/blob-ports.ts";
import { type CleanUpReport, cleanUp } from "../files/clean-up.ts";
import { createFiles, type FilesDeps } from "../files/desk.ts";
import type { Files, TicketView } from "../files/files.ts";
import { createLiveUploads, type Ticker } from "../files/live-uploads.ts";
import type { FileIndex } from "../files/ports.ts";
import { freePort } from "../lib/free-port.ts";
import type { Llm } from "../llm/llm.ts";
import { type Admins, createAdmins } from "../members/admins.ts";
import { limitsFrom } from "../members/limits.ts";
import { openDiskBlobs } from "../store/blobs/disk.ts";
import { openStore, type Store } from "../store/open.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { openTelemetry } from "../telemetry/open.ts";
import { type BotView, startWeb, type WebDeps, type WebServer } from "../web/serve.ts";
import { onlyDisk } from "./file-desk.ts";

export interface TestWebOptions {
  /** Parts of config.yaml. Logs are at debug level and JSON. */
  config?: { web?: object; files?: object; llm?: object; telemetry?: object };
  /** Default: a free one. */
  port?: number;
  now?: () => number;
  rates?: WebDeps["rates"];
  parts?: PartState[];
  bot?: BotView;
  /** How the model servers do. Default: there are none. */
  status?: ReturnType<Llm["status"]>;
  /** What links begin with. Default: where it listens. */
  publicUrl?: string;
  paceRules?: FilesDeps["paceRules"];
  /** How often slow uploads are looked for, milliseconds. */
  beat?: number;
  /** Puts faults between the desk and the disk. */
  wrapBlobs?(blobs: BlobStore): BlobStore;
  /** The data dir of one that was restarted; default a new one. It is removed on dispose either way. */
  dataDir?: string;
}

export interface TestWeb extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly files: Files;
  readonly index: FileIndex;
  readonly admins: Admins;
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly web: WebServer;
  readonly config: Config;
  /** Everything logged so far. */
  log(): string;
  /** A fresh upload link, without a trailing slash; of a new owner unless one is named. */
  link(ownerId?: string): Promise<string>;
  /** Resolves when that upload link is in that state; rejects when it isn't within 5 s. */
  becomes(link: string, state: TicketView["state"]): Promise<void>;
  /** Sends a file through a fresh link and gives its share address. */
  share(name: string, body: BodyInit, type?: string): Promise<string>;
  /** One run of the clean-up. */
  cleanUp(): Promise<CleanUpReport>;
  /** Ends it without waiting for anybody, and opens what is on the disk anew at the same address. */
  restart(): Promise<TestWeb>;
}

const READY: PartState[] = [
  { part: "database", state: "ok", detail: "It answers." },
  { part: "disk", state: "ok", detail: "There is room." },
];

/** The web edge over a real store, real disk and real files, on a port of its own. */
export async function openTestWeb(options: TestWebOptions = {}): Promise<TestWeb> {
  await using stack = new AsyncDisposableStack();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "wisbot-web-")));
  let goesOn = false;
  stack.defer(async () => {
    if (!goesOn) await rm(dataDir, { recursive: true, force: true });
  });

  const config = configSchema.parse({ ...options.config, log: { level: "debug", format: "json" } });
  const lines: string[] = [];
  const telemetry = await openTelemetry({
    config,
    version: "0.0.0-test",
    logTo: { write: (line) => lines.push(line) },
  });
  stack.defer(() => telemetry.shutdown());
  const metrics = createMetrics(telemetry.meter);
  const now = options.now ?? Date.now;
  const store = stack.use(await openStore({ dataDir, log: telemetry.log }));
  const disk = await openDiskBlobs({ dir: join(dataDir, "blobs") });
  const blobs = options.wrapBlobs?.(disk) ?? disk;
  // Links are made before the server listens, so its port has to be known first.
  const port = options.port ?? freePort();
  const publicUrl = options.publicUrl ?? `http://127.0.0.1:${port}`;
  const { files: index, blobs: contents, downloads, audit: auditLog, tokens, choices } = store;
  const audit = stack.use(createAuditTrail({ log: auditLog, telemetry, now }));
  const resumeFor = config.files.resume_for;
  const ticker = options.beat === undefined ? {} : { ticker: every(options.beat) };
  const deps = {
    index,
    audit,
    stores: onlyDisk(blobs),
    live: createLiveUploads({ index, telemetry, resumeFor, now, ...ticker }),
    limits: limitsFrom(config).files,
    publicUrl,
    telemetry,
    metrics: metrics.files,
    wake() {},
    now,
  };
  const files = createFiles({
    locked: true,
    ...deps,
    contents,
    downloads,
    auditLog,
    tokens,
    tokenLife: config.files.tokens_expire_after,
    choices,
    minFreeDisk: config.files.min_free_disk,
    resumeFor,
    keys: { doors: await store.keys.key("doors"), audience: await store.keys.key("audience") },
    ...(options.paceRules && { paceRules: options.paceRules }),
  });
  const admins = createAdmins({ keys: store.adminKeys, now });
  const web = await startWeb({
    config,
    publicUrl,
    files,
    admins,
    llm: {
      history: (input) => store.attempts.list(input),
      votes: (guildId) => store.attempts.votes(guildId),
      status: () => options.status ?? { hosts: [], waiting: 0, active: 0 },
    },
    telemetry,
    metrics,
    parts: async () => options.parts ?? READY,
    bot: () => options.bot ?? { state: "off", detail: "No token.", inviteUrl: undefined },
    version: "0.0.0-test",
    instance: "test",
    now,
    listen: { host: "127.0.0.1", port },
    ...(options.rates && { rates: options.rates }),
  });
  stack.defer(() => web.stop(0));
  const open = stack.move();

  async function link(ownerId: string = randomUUID()) {
    const { url } = await files.issue({ ownerId });
    return url;
  }

  return {
    url: web.url,
    port,
    files,
    index: store.files,
    admins,
    store,
    blobs,
    web,
    config,
    log: () => lines.join(""),
    link,
    async becomes(link, state) {
      const ticket = link.split("/").at(-1) ?? "";
      const deadline = performance.now() + 5_000;
      // Nothing tells when a server has noticed that its client went: it has to be asked.
      while ((await files.inspect(ticket)).state !== state) {
        if (performance.now() > deadline) throw new Error(`the link did not become ${state}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async share(name, body, type) {
      const response = await fetch(`${await link()}/${encodeURIComponent(name)}`, {
        method: "PUT",
        body,
        ...(type !== undefined && { headers: { "content-type": type } }),
      });
      if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
      return (await response.text()).trim();
    },
    cleanUp: () => cleanUp({ ...deps, contents, logs: [] }, new AbortController().signal),
    async restart() {
      goesOn = true;
      await open.disposeAsync();
      return await openTestWeb({ ...options, dataDir, port });
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function every(ms: number): Ticker {
  return (_, tick) => {
    const timer = setInterval(tick, ms);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  };
}
