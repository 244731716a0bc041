import { Database } from "bun:sqlite";
import { join } from "node:path";
import { $ } from "bun";
import { configSchema } from "../../src/config/schema.ts";
import { createAuditTrail } from "../../src/files/audit.ts";
import type { BlobStore } from "../../src/files/blob-ports.ts";
import { cleanUp } from "../../src/files/clean-up.ts";
import { hashCapability, newCapability } from "../../src/lib/capability.ts";
import { limitsFrom } from "../../src/members/limits.ts";
import { openDiskBlobs } from "../../src/store/blobs/disk.ts";
import { blobsPath, databasePath } from "../../src/store/data-dir.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { openTelemetry } from "../../src/telemetry/open.ts";
import type { Telemetry } from "../../src/telemetry/ports.ts";
import { type Bench, type Figure, inTurn, median, ms, percentile, times } from "./figure.ts";
import { temporaryFolder } from "./processes.ts";

const EXPIRED = 10_000;
const FEW = 20_000;
const MANY = 1_000_000;
const ROUNDS = 9;
const LIMIT = 1.2;
const BLOCK_LIMIT_MS = 50;
const NOW = Date.now();
const DAY = 86_400_000;

interface House extends AsyncDisposable {
  dataDir: string;
  store: Store;
  blobs: BlobStore;
  telemetry: Telemetry;
}

async function openHouse(rows: number): Promise<House> {
  await using opening = new AsyncDisposableStack();
  const { path: dataDir } = opening.use(await temporaryFolder());
  const config = configSchema.parse({ log: { level: "error" } });
  const telemetry = await openTelemetry({ config, version: "bench", env: {} });
  opening.defer(() => telemetry.shutdown());
  const store = opening.use(await openStore({ dataDir, log: telemetry.log }));
  const blobs = await openDiskBlobs({ dir: blobsPath(dataDir) });
  insertReady(dataDir, Array.from({ length: rows - EXPIRED }, newCapability), NOW + DAY);
  const opened = opening.move();
  return { dataDir, store, blobs, telemetry, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/**
 * Ready files that came through links, as most do: each has a ticket, and leaves a tombstone. By a bulk insert: through
 * the port a million would take minutes and measure nothing more.
 */
function insertReady(dataDir: string, ids: string[], expiresAt: number): void {
  using database = new Database(databasePath(dataDir));
  const store = database.prepare(
    `insert into blobs (key, sha256, size, crc32, state, place, created_at, checked_at)
     values (?1, ?2, 1, 0, 'live', 'disk', ?3, ?3)`,
  );
  const insert = database.prepare(
    `insert into files (id, ticket_hash, owner_id, state, name, size, content_type, sha256, created_at, ready_at, expires_at, upload_key, blob_key)
     values (?1, ?2, ?3, 'ready', 'a.txt', 1, 'text/plain', ?2, ?4, ?4, ?5, ?1, ?1)`,
  );
  database.transaction(() => {
    for (const [index, id] of ids.entries()) {
      const owner = String(index % 5_000);
      const readyAt = NOW - DAY - index;
      // As good as a hash of its bytes: no two files share a blob.
      const hash = hashCapability(id);
      store.run(id, hash, readyAt);
      insert.run(id, hash, owner, readyAt, expiresAt);
    }
  })();
  database.run("pragma wal_checkpoint(truncate)");
}

/** Expired files with a byte each, put where the disk store has them, and on the disk since long. */
async function expireSome({ dataDir }: House): Promise<void> {
  const ids = Array.from({ length: EXPIRED }, newCapability);
  await Promise.all(ids.map((id) => Bun.write(join(blobsPath(dataDir), id.slice(0, 1), id), "x")));
  // What has never reached the disk is removed at next to no cost.
  await $`sync`.quiet();
  insertReady(dataDir, ids, NOW - 1);
}

interface Round {
  took: number;
  /** The longest that the event loop did not come round, milliseconds. */
  blocked: number;
}

async function round(house: House): Promise<Round> {
  await expireSome(house);
  const { store, blobs, telemetry } = house;
  const now = () => NOW;
  await using audit = createAuditTrail({ log: store.audit, telemetry, now });
  const deps = {
    index: store.files,
    contents: store.blobs,
    stores: { place: "disk" as const, places: ["disk" as const], presigns: false, at: () => blobs },
    audit,
    limits: limitsFrom(configSchema.parse({})).files,
    publicUrl: "http://localhost",
    wake() {},
    telemetry,
    metrics: createMetrics(telemetry.meter).files,
    now,
  };
  let [last, blocked] = [performance.now(), 0];
  const probe = setInterval(() => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last);
    last = now;
  }, 1);
  const started = performance.now();
  const live = { has: () => false };
  const { expired_files } = await cleanUp({ ...deps, live, logs: [] }, new AbortController().signal);
  const took = performance.now() - started;
  clearInterval(probe);
  blocked = Math.max(blocked, performance.now() - last);
  if (expired_files !== EXPIRED) throw new Error(`removed ${expired_files} files instead of ${EXPIRED}`);
  return { took, blocked };
}

export const cleanUpBench: Bench = {
  name: "clean-up",
  async run(): Promise<Figure[]> {
    await using many = await openHouse(MANY);
    await using few = await openHouse(FEW);
    await inTurn(
      1,
      () => round(many),
      () => round(few),
    );
    const seen = await inTurn(
      ROUNDS,
      () => round(many),
      () => round(few),
    );
    const time = (rounds: Round[]) => median(rounds.map(({ took }) => took));
    const ratio = time(seen.ours) / time(seen.baseline);
    const blocks = seen.ours.map(({ blocked }) => blocked);
    const count = (rows: number) => rows.toLocaleString("en");
    return [
      {
        what: `clean-up of ${count(EXPIRED)} expired files with their bytes among ${count(MANY)} rows`,
        ours: `median ${ms(time(seen.ours))}`,
        baseline: `among ${count(FEW)} rows ${ms(time(seen.baseline))}`,
        compared: times(ratio),
        limit: `at most ${times(LIMIT)}`,
        holds: ratio <= LIMIT,
      },
      {
        what: "the longest block of the event loop meanwhile",
        ours: `median of ${ROUNDS} runs ${ms(median(blocks))}, worst ${ms(percentile(blocks, 1))}`,
        baseline: `among ${count(FEW)} rows worst ${ms(
          percentile(
            seen.baseline.map(({ blocked }) => blocked),
            1,
          ),
        )}`,
        compared: ms(percentile(blocks, 1)),
        limit: `${BLOCK_LIMIT_MS} ms`,
        holds: percentile(blocks, 1) <= BLOCK_LIMIT_MS,
      },
    ];
  },
};
