import { S3Client } from "bun";
import type { Config } from "../../config/schema.ts";
import type { Finding } from "../../doctor/ports.ts";
import { within } from "../../lib/within.ts";
import { systemCode } from "../data-dir.ts";

/** Doctor gives a check 5 s; a silent service shall be said as what it is. */
const PATIENCE_MS = 4_000;

const KEY = {
  detail: "it refuses the access key",
  fix: "Correct files.s3.access_key_id and files.s3.secret_access_key; the key must be allowed to get, put, delete and list in the bucket.",
};
const AWAY = {
  detail: "nothing answers there",
  fix: "Correct files.s3.endpoint, or see why this machine does not reach it.",
};
const NO_S3 = {
  detail: "something answers there that is no S3 service",
  fix: "Correct files.s3.endpoint: it is the address of the service, without the bucket.",
};

/** By S3's codes, and by those that Bun has for what happens on the way there. */
const REASONS: Record<string, { detail: string; fix: string }> = {
  AccessDenied: KEY,
  InvalidAccessKeyId: KEY,
  SignatureDoesNotMatch: KEY,
  NoSuchBucket: {
    detail: "there is no such bucket",
    fix: "Create the bucket there, or correct files.s3.bucket.",
  },
  AuthorizationHeaderMalformed: {
    detail: "the bucket lies in another region",
    fix: "Correct files.s3.region.",
  },
  RequestTimeTooSkewed: {
    detail: "its clock and this machine's disagree",
    fix: "Set this machine's clock: sudo timedatectl set-ntp true",
  },
  ConnectionRefused: AWAY,
  ConnectionClosed: AWAY,
  DNSResolveFailed: { detail: "its name can't be resolved", fix: AWAY.fix },
  TLSHandshakeFailed: {
    detail: "no encrypted connection comes about",
    fix: "Correct files.s3.endpoint: is it http:// perhaps, or is its certificate not trusted here?",
  },
  InvalidResponse: NO_S3,
  // A listing has no key that could be missing.
  NoSuchKey: NO_S3,
};

/** Whether the S3 store answers, and lets us in: asks for one key. Makes and changes nothing. */
export async function checkS3(s3: Config["files"]["s3"]): Promise<Finding> {
  if (!s3) return { severity: "skip", detail: "No S3 store is configured." };
  const { endpoint, bucket, region, prefix } = s3;
  const client = new S3Client({
    endpoint: endpoint.replace(/\/+$/, ""),
    bucket,
    region,
    accessKeyId: s3.access_key_id,
    secretAccessKey: s3.secret_access_key,
  });
  const place = `Bucket ${bucket} at ${endpoint}`;
  try {
    const page = await within(PATIENCE_MS, client.list({ prefix: `${prefix}/`, maxKeys: 1 }));
    if (page) return { severity: "ok", detail: `${place} answers and lets wisbot in.` };
    return { severity: "fail", detail: `${place}: no answer within 4 s.`, fix: AWAY.fix };
  } catch (error) {
    const code = systemCode(error);
    const reason = code === undefined ? undefined : REASONS[code];
    const detail = reason?.detail ?? `it refuses to list its keys (${code ?? "no reason given"})`;
    const fix = reason?.fix ?? "Look this code up in the service's documentation, and see its log.";
    return { severity: "fail", detail: `${place}: ${detail}.`, fix };
  }
}
