// What a transfer costs on Bun at the least: an upload is streamed through SHA-256 into a file, synced and put in
// place; a download is the file as it is.
import { open, rename } from "node:fs/promises";
import { basename, join } from "node:path";

const { PORT = "", FOLDER = "" } = process.env;

async function take(body: ReadableStream<Uint8Array>, path: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const file = await open(`${path}.part`, "w");
  for await (const chunk of body) {
    hash.update(chunk);
    await file.write(chunk);
  }
  await file.sync();
  await file.close();
  await rename(`${path}.part`, path);
  return hash.digest("hex");
}

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(PORT),
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  idleTimeout: 120,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response("It listens.");
    const path = join(FOLDER, basename(pathname));
    if (request.method === "PUT" && request.body) return new Response(await take(request.body, path));
    return new Response(Bun.file(path));
  },
});
