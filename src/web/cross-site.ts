import { WisError } from "../errors.ts";
import type { Middleware } from "./env.ts";

const READS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses writes that a page of another site makes a browser send. `Sec-Fetch-Site` can't be set by scripts, so it
 * decides where it is sent; browsers leave it out on plain http, where `Origin` decides. curl sends neither.
 */
export function refuseCrossSite({ publicUrl }: { publicUrl: string }): Middleware {
  const publicHost = new URL(publicUrl).host;
  return (c, next) => {
    if (READS.has(c.req.method)) return next();
    const site = c.req.header("sec-fetch-site");
    const origin = c.req.header("origin");
    if (!fromHere(site, origin, [publicHost, new URL(c.req.url).host])) {
      throw new WisError("cross_site", {
        say: "A page of another site tried to change something here.",
        hint: "Open the link itself in your browser and try again from there.",
      });
    }
    return next();
  };
}

function fromHere(site: string | undefined, origin: string | undefined, hosts: string[]): boolean {
  if (site !== undefined) return site === "same-origin" || site === "none";
  if (origin === undefined) return true;
  return URL.canParse(origin) && hosts.includes(new URL(origin).host);
}
