import { findAsset } from "../assets.ts";
import type { Handler } from "../env.ts";
import { text } from "../page.ts";

/** `GET /assets/:name`: style and scripts, under addresses that change with them. */
export const serveAsset: Handler<"/assets/:name"> = (c) => {
  const asset = findAsset(c.req.path);
  if (!asset) return c.notFound();
  return text(c, asset.text, {
    "content-type": asset.type,
    "cache-control": "public, max-age=31536000, immutable",
  });
};
