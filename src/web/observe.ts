import { SpanKind } from "@opentelemetry/api";
import { matchedRoutes } from "hono/route";
import { isWisError } from "../errors.ts";
import { abbreviate } from "../lib/capability.ts";
import { attribute } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Middleware } from "./env.ts";

const METHODS = new Set(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]);

/**
 * One root span, one duration and one debug line a request, named by route template: paths hold capabilities, so
 * none is written anywhere whole. The span ends with the answer's headers; a body may run on for hours.
 */
export function observe({ telemetry, metrics }: { telemetry: Telemetry; metrics: Metrics }): Middleware {
  return async (c, next) => {
    const began = performance.now();
    // Methods are the client's free choice: only known ones become a name or a label.
    const method = METHODS.has(c.req.method) ? c.req.method : "_OTHER";
    // A pattern such as /admin/* is a middleware's.
    const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith("/*"))?.path ?? "unmatched";
    const attributes = { [attribute.httpMethod]: method, [attribute.httpRoute]: route };
    await telemetry.span(
      `${method} ${route}`,
      { kind: SpanKind.SERVER, root: true, attributes },
      async (span) => {
        await next();
        const { status } = c.res;
        span.setAttribute(attribute.httpStatus, status);
        if (isWisError(c.error)) span.setAttribute(attribute.errorCode, c.error.code);
        const milliseconds = performance.now() - began;
        metrics.http.duration.record(milliseconds / 1000, { route, method, status });
        const capability = c.req.param("ticket") ?? c.req.param("id");
        telemetry.log.debug(
          {
            method,
            route,
            status,
            ms: Math.round(milliseconds),
            client: c.get("client"),
            ...(capability && { capability: abbreviate(capability) }),
          },
          "request",
        );
      },
    );
  };
}
