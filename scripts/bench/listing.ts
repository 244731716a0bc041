import { Database } from "bun:sqlite";
import { newCapability } from "../../src/lib/capability.ts";
import { databasePath } from "../../src/store/data-dir.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { type Bench, type Figure, inTurn, median, ms, times } from "./figure.ts";
import { temporaryFolder } from "./processes.ts";

const FEW = 1_000;
const MANY = 1_000_000;
const OF_AN_OWNER = 20;
const ASKED = 500;
const ROUNDS = 7;
/** A thousand times the rows are one or two more levels of each B-tree, and pages that no cache holds: not flat is 1000 ×. */
const LIMIT = 2;
const NOW = Date.now();
const DAY = 86_400_000;
const SIZE = 1_000;
/** Nothing is refused: the sums are made all the same. */
const limits = { maxFiles: 1_000, maxBytes: 1e12 };

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

interface House extends AsyncDisposable {
  store: Store;
  ids: string[];
}

async function openHouse(rows: number): Promise<House> {
  await using opening = new AsyncDisposableStack();
  const { path: dataDir } = opening.use(await temporaryFolder());
  const store = opening.use(await openStore({ dataDir, log: quiet }));
  const ids = Array.from({ length: rows }, newCapability);
  insertReady(dataDir, ids);
  const opened = opening.move();
  return { store, ids, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The owner of the file at `index`: an owner's files lie as far from each other as they can. */
const ownerOf = (index: number, rows: number) => `owner ${index % (rows / OF_AN_OWNER)}`;

/** By a bulk insert: through the port a million would take minutes and measure nothing more. */
function insertReady(dataDir: string, ids: string[]): void {
  using database = new Database(databasePath(dataDir));
  const insert = database.prepare(
    `insert into files (id, owner_id, state, name, size, content_type, sha256, created_at, ready_at, expires_at, upload_key)
     values (?1, ?2, 'ready', 'a.txt', ${SIZE}, 'text/plain', ?3, ?4, ?4, ?5, ?1)`,
  );
  database.transaction(() => {
    for (const [index, id] of ids.entries()) {
      const at = NOW - DAY - index;
      insert.run(id, ownerOf(index, ids.length), "a".repeat(64), at, at + 7 * DAY + index);
    }
  })();
  database.run("pragma wal_checkpoint(truncate)");
}

const queries = [
  "usage",
  "a page",
  "an insert within the quota",
  "a reservation",
  "a file by its id",
  "the next expiry",
] as const;
type Query = (typeof queries)[number];
/** What each took, milliseconds. */
type Took = Record<Query, number>;

const newUpload = (ownerId: string) => ({
  id: newCapability(),
  ticketHash: null,
  ownerId,
  name: "a.bin",
  size: SIZE,
  origin: null,
  asker: null,
  createdAt: NOW,
  linkExpiresAt: null,
  uploadKey: newCapability(),
  length: SIZE,
  contentType: "text/plain",
});

/** Asks everything once of one owner, and leaves the house as it was. */
async function ask({ store: { files }, ids }: House): Promise<Took> {
  const index = Math.floor(Math.random() * ids.length);
  const ownerId = ownerOf(index, ids.length);
  const upload = newUpload(ownerId);

  async function timed<T>(run: () => Promise<T>, isRight: (answer: T) => boolean): Promise<number> {
    const started = performance.now();
    const answer = await run();
    const took = performance.now() - started;
    if (!isRight(answer)) throw new Error(`the store answered ${JSON.stringify(answer)}`);
    return took;
  }

  const took = {
    // First: any write makes the store forget the rows that it remembers.
    "an insert within the quota": await timed(
      () => files.insert(upload, limits),
      (done) => done,
    ),
    "a file by its id": await timed(
      () => files.find(ids[index] ?? ""),
      (row) => row?.ownerId === ownerId,
    ),
    "a reservation": await timed(
      () => files.reserve(upload.id, 2 * SIZE, limits.maxBytes),
      (done) => done,
    ),
    usage: await timed(
      () => files.usage(ownerId),
      (held) => held.files === OF_AN_OWNER + 1,
    ),
    "a page": await timed(
      () => files.list({ ownerId, limit: OF_AN_OWNER }),
      (page) => page.length === OF_AN_OWNER,
    ),
    "the next expiry": await timed(
      () => files.nextExpiry(ownerId, Date.now()),
      (at) => at !== undefined,
    ),
  };
  await files.release([upload.id]);
  return took;
}

async function round(house: House): Promise<Took[]> {
  const all: Took[] = [];
  for (let asked = 0; asked < ASKED; asked += 1) all.push(await ask(house));
  return all;
}

async function run(): Promise<Figure[]> {
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
  const [ours, baseline] = [seen.ours.flat(), seen.baseline.flat()];
  const compared = queries.map((query) => {
    const [among, amongFew] = [
      median(ours.map((took) => took[query])),
      median(baseline.map((took) => took[query])),
    ];
    return { query, among, amongFew, ratio: among / amongFew };
  });
  const count = (rows: number) => rows.toLocaleString("en");
  return compared.map(({ query, among, amongFew, ratio }) => ({
    what: `${query} of an owner of ${OF_AN_OWNER} among ${count(MANY)} files`,
    ours: ms(among),
    baseline: `among ${count(FEW)} ${ms(amongFew)}`,
    compared: times(ratio),
    limit: `at most ${times(LIMIT)}`,
    holds: ratio <= LIMIT,
  }));
}

export const listing: Bench = { name: "listing", run };
