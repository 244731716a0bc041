import { secureHeaders } from "hono/secure-headers";
import type { Middleware } from "./env.ts";

/** Headers of every answer. A route that says stricter things itself (downloads) is left alone. */
export function safeHeaders({ publicUrl }: { publicUrl: string }): Middleware {
  return secureHeaders({
    overwrite: false,
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
    },
    // The address of a page is a capability: no other site may learn it.
    referrerPolicy: "no-referrer",
    xFrameOptions: "DENY",
    // Only an https address may promise https, and only for its own name: other names are not ours.
    strictTransportSecurity: publicUrl.startsWith("https:") ? "max-age=15552000" : false,
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
  });
}
