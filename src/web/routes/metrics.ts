import { createHash, timingSafeEqual } from "node:crypto";
import { WisError } from "../../errors.ts";
import { isLoopback } from "../client-address.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { text } from "../page.ts";

// Any of them means that a proxy stands between, and that the peer's address says nothing about who asks.
const FORWARDING = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/** `GET /metrics`: Prometheus text, for who has the token; without one, for this machine only. */
export function scrape({ config, telemetry }: Pick<WebDeps, "config" | "telemetry">): Handler<"/metrics"> {
  const { metrics, metrics_token: token } = config.telemetry;
  return async (c) => {
    if (!metrics) return c.notFound();
    const allowed =
      token === undefined
        ? isLoopback(c.var.peer) && FORWARDING.every((name) => c.req.header(name) === undefined)
        : sameSecret(c.req.header("authorization") ?? "", `Bearer ${token}`);
    if (!allowed) {
      throw new WisError("forbidden", {
        say: "Metrics are not shown to everybody.",
        hint: token
          ? "Send the header Authorization: Bearer, followed by telemetry.metrics_token."
          : "Ask from the machine that WisBot runs on, or set telemetry.metrics_token.",
      });
    }
    return text(c, await telemetry.scrape(), {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "cache-control": "no-store",
    });
  };
}

/** Compares without telling by its duration how much was right; hashing makes the lengths equal. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
