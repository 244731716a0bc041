import { SpanKind } from "@opentelemetry/api";
import { WisError } from "../errors.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { BlobOperation, Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { BlobStore, BlobWriter } from "./blob-ports.ts";

export interface ObserveBlobsDeps {
  blobs: BlobStore;
  telemetry: Pick<Telemetry, "span">;
  metrics: Pick<Metrics["files"], "blobDuration">;
}

/** The same store, with a span and a duration for every operation but the single write, of which an upload has thousands. */
export function observeBlobs({ blobs, telemetry, metrics }: ObserveBlobsDeps): BlobStore {
  async function observed<T>(operation: BlobOperation, run: () => Promise<T>): Promise<T> {
    const options = { kind: SpanKind.CLIENT, attributes: { [attribute.blobOperation]: operation } };
    return await telemetry.span(`blob ${operation}`, options, async () => {
      const started = performance.now();
      let outcome: "ok" | WisError["code"] = "internal";
      try {
        const result = await run();
        outcome = "ok";
        return result;
      } catch (error) {
        if (error instanceof WisError) outcome = error.code;
        throw error;
      } finally {
        metrics.blobDuration.record((performance.now() - started) / 1000, { operation, outcome });
      }
    });
  }

  const observedWriter = (writer: BlobWriter): BlobWriter => ({
    write: (chunk) => writer.write(chunk),
    commit: () => observed("commit", () => writer.commit()),
    close: () => observed("close", () => writer.close()),
    abort: () => observed("abort", () => writer.abort()),
  });

  return {
    create: (key) => observed("create", async () => observedWriter(await blobs.create(key))),
    resume: (key) =>
      observed("resume", async () => {
        const found = await blobs.resume(key);
        return found && { ...found, writer: observedWriter(found.writer) };
      }),
    unfinished: (key) => observed("unfinished", () => blobs.unfinished(key)),
    open: (key, range) => observed("open", () => blobs.open(key, range)),
    delete: (key) => observed("delete", () => blobs.delete(key)),
    keys: () => blobs.keys(),
    sweep: (inUse) => blobs.sweep(inUse),
    free: () => blobs.free(),
    presign: (key, as) => blobs.presign(key, as),
  };
}
