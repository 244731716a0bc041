import { join } from "node:path";
import type { LoadedConfig } from "../config/loaded.ts";
import type { Config } from "../config/schema.ts";
import { WisError } from "../errors.ts";
import { createAuditTrail } from "../files/audit.ts";
import type { BlobPlace, BlobStore, BlobStores } from "../files/blob-ports.ts";
import type { CleanUpDeps } from "../files/clean-up.ts";
import { createFiles, type FilesDeps } from "../files/desk.ts";
import { RECORD_LIFE } from "../files/expiry.ts";
import type { Files } from "../files/files.ts";
import { createLiveUploads } from "../files/live-uploads.ts";
import type { MigrateDeps } from "../files/migrate.ts";
import { observeBlobs } from "../files/observe-blobs.ts";
import { repairFiles } from "../files/repair.ts";
import type { ScrubDeps } from "../files/scrub.ts";
import type { VerifyDeps } from "../files/verify.ts";
import { systemNow as now } from "../lib/clock.ts";
import { limitsFrom } from "../members/limits.ts";
import { INCOMING, openDiskBlobs } from "../store/blobs/disk.ts";
import { openS3Blobs } from "../store/blobs/s3.ts";
import { blobsPath } from "../store/data-dir.ts";
import { openStore, type Store } from "../store/open.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";

/** What every part is given. */
export interface Ground {
  loaded: LoadedConfig;
  telemetry: Telemetry;
  metrics: Metrics;
}

export interface Data {
  store: Store;
  stores: BlobStores;
  files: Files;
  cleanUpDeps: CleanUpDeps;
  /** For the jobs that look after what is stored. */
  careDeps: ScrubDeps & MigrateDeps & VerifyDeps;
}

/** The disk, on which every upload arrives, and what else the configuration names. */
async function openStores({ loaded, telemetry, metrics: { files: metrics } }: Ground): Promise<BlobStores> {
  const { s3, store: place } = loaded.config.files;
  const dir = blobsPath(loaded.dataDir);
  // The disk's own: an upload that was cut before the admin changed files.store is found, and gone on with, after it.
  const staging = join(dir, INCOMING);
  const observed = (blobs: BlobStore) => observeBlobs({ blobs, telemetry, metrics });
  const stores: Partial<Record<BlobPlace, BlobStore>> = { disk: observed(await openDiskBlobs({ dir })) };
  if (s3) stores.s3 = observed(await openS3Blobs({ ...s3Options(s3), staging }));
  return {
    place,
    places: s3 ? ["disk", "s3"] : ["disk"],
    presigns: s3?.presign ?? false,
    at(wanted) {
      const found = stores[wanted];
      if (found) return found;
      throw new WisError("disk.failed", {
        say: "Some files are in an S3 store that config.yaml no longer names.",
        hint: "Put files.s3 back, or first move them with wisbot files migrate --to disk.",
      });
    },
  };
}

function s3Options({ endpoint, bucket, region, prefix, ...keys }: NonNullable<Config["files"]["s3"]>) {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = keys;
  return { endpoint, bucket, region, prefix, accessKeyId, secretAccessKey };
}

/**
 * Database, blobs and the rules over them; `opening` closes them. `locked`: this process holds the data dir's lock, so
 * it migrates and repairs. `wake` is called when a message to somebody is owed.
 */
export async function openData(
  ground: Ground,
  { locked, wake, onProgress }: { locked: boolean } & Pick<FilesDeps, "wake" | "onProgress">,
  opening: AsyncDisposableStack,
): Promise<Data> {
  const {
    loaded,
    telemetry,
    metrics: { files: metrics },
  } = ground;
  const { config, dataDir, publicUrl } = loaded;
  const store = opening.use(await openStore({ dataDir, log: telemetry.log, migrate: locked }));
  const stores = await openStores(ground);
  const audit = opening.use(createAuditTrail({ log: store.audit, telemetry, now }));
  const limits = limitsFrom(config).files;
  const { min_free_disk: minFreeDisk, resume_for: resumeFor, tokens_expire_after: tokenLife } = config.files;
  const { files: index, blobs: contents } = store;
  const deps = {
    index,
    contents,
    stores,
    audit,
    limits,
    publicUrl,
    wake,
    telemetry,
    metrics,
    now,
    resumeFor,
    minFreeDisk,
  };
  if (locked) await repairFiles(deps);
  const live = createLiveUploads(deps);
  const keys = { doors: await store.keys.key("doors"), audience: await store.keys.key("audience") };
  const { downloads, audit: auditLog, tokens, choices } = store;
  const files = createFiles({
    ...deps,
    live,
    locked,
    downloads,
    auditLog,
    tokens,
    tokenLife,
    choices,
    keys,
    ...(onProgress && { onProgress }),
  });
  const logs = [
    { log: store.turns, life: config.llm.keep_conversations_for },
    { log: store.attempts, life: config.llm.keep_history_for },
    { log: store.usage, life: 2 * config.llm.quota_period },
    { log: store.announcements, life: RECORD_LIFE },
    { log: downloads, life: RECORD_LIFE },
    { log: tokens, life: tokenLife },
    { log: store.adminKeys, life: RECORD_LIFE },
    { log: auditLog, life: config.files.keep_audit_for },
  ];
  return {
    store,
    stores,
    files,
    cleanUpDeps: { ...deps, live: locked ? live : undefined, logs },
    careDeps: deps,
  };
}
