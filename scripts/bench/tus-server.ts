// @tus/server as it comes, with its own file store and its own locker: it neither hashes nor counts, and keeps no one out.
// With SYNC, what has arrived is on the disk before it says so.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const { PORT = "", FOLDER = "", SYNC } = process.env;
const PATH = "/api/uploads";
/** Apart from what Bun keeps in the folder for itself. */
const kept = join(FOLDER, "uploads");

const tus = new Server({ path: PATH, datastore: new FileStore({ directory: kept }), relativeLocation: true });

async function sync(path: string): Promise<void> {
  const file = await open(path);
  await file.sync();
  await file.close();
}

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(PORT),
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  idleTimeout: 120,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response("It listens.");
    const response = await tus.handleWeb(request);
    if (SYNC && request.method === "PATCH") await sync(join(kept, pathname.slice(PATH.length)));
    return response;
  },
});
