import { SharePage } from "../../../templates/share.tsx";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { page } from "../page.ts";

/** `GET /f/:id`: the file's page. Looking at it never counts as a download: link previews fetch it too. */
export function share({
  files,
  version,
  now,
}: Pick<WebDeps, "files" | "version" | "now">): Handler<"/f/:id"> {
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    return page(c, SharePage({ assets: assetUrls, version, file, now: now() }));
  };
}
