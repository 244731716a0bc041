import { HomePage } from "../../../templates/home.tsx";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { page } from "../page.ts";

/** `GET /`: what this is, how its parts are, how to start. */
export function home({ version, parts, bot }: Pick<WebDeps, "version" | "parts" | "bot">): Handler<"/"> {
  return async (c) => {
    const states = await parts();
    return page(c, HomePage({ assets: assetUrls, version, parts: states, inviteUrl: bot().inviteUrl }));
  };
}
