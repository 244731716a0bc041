// A ZIP of the files in a folder as wisbot streams it, beside the same bytes as one plain file.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { layoutZip, readZip } from "../../src/files/zip.ts";

const { PORT = "", FOLDER = "" } = process.env;

const names = await readdir(join(FOLDER, "files"));
const layout = layoutZip(
  names.map((name) => {
    const key = join(FOLDER, "files", name);
    // Nobody unpacks it: any checksum costs the same.
    return { path: name, key, size: Bun.file(key).size, crc32: 0, modifiedAt: 0 };
  }),
);

async function open(path: string, range?: { start: number; end: number }): Promise<Blob> {
  return Bun.file(path).slice(range?.start, range && range.end + 1);
}

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(PORT),
  idleTimeout: 120,
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/zip") {
      return new Response(readZip(layout, { start: 0, end: layout.size - 1 }, open, request.signal));
    }
    if (pathname === "/plain") return new Response(Bun.file(join(FOLDER, "plain")));
    return new Response("It listens.");
  },
});
