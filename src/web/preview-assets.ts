import library from "pdfjs-dist/legacy/build/pdf.min.mjs" with { type: "file" };
import worker from "pdfjs-dist/legacy/build/pdf.worker.min.mjs" with { type: "file" };
import { version } from "pdfjs-dist/package.json";
import jbig2 from "pdfjs-dist/wasm/jbig2_nowasm_fallback.js" with { type: "file" };
import openjpeg from "pdfjs-dist/wasm/openjpeg_nowasm_fallback.js" with { type: "file" };
import type { Handler } from "./env.ts";

// pdf.js as its makers built it, carried as files: 2.3 MB that cost a start nothing, since they are read when asked
// for. The legacy build is for phones that are a few years old. Its decoders of fax, JBIG2 and JPEG 2000 pictures are
// the plain scripts: WebAssembly would need a looser content security policy.
const folder = `/assets/pdfjs-${version}/`;
const files = new Map([
  [`${folder}pdf.mjs`, library],
  [`${folder}pdf.worker.mjs`, worker],
  // Names that pdf.js asks for.
  [`${folder}jbig2_nowasm_fallback.js`, jbig2],
  [`${folder}openjpeg_nowasm_fallback.js`, openjpeg],
]);

/** Where the page's script finds pdf.js. */
export const pdfUrls = {
  pdfLibrary: `${folder}pdf.mjs`,
  pdfWorker: `${folder}pdf.worker.mjs`,
  pdfDecoders: folder,
};

/** `GET /assets/:folder/:name`: pdf.js, under addresses that change with its version. */
export const servePdfAsset: Handler<"/assets/:folder/:name"> = (c) => {
  const path = files.get(c.req.path);
  if (!path) return c.notFound();
  const file = Bun.file(path);
  const headers = {
    "content-type": "text/javascript; charset=utf-8",
    "content-length": String(file.size),
    "cache-control": "public, max-age=31536000, immutable",
    // A worker lives by the policy of its own script: what parses a stranger's bytes reaches nothing but its decoders.
    "content-security-policy": "default-src 'none'; script-src 'self'",
  };
  return new Response(file, { headers });
};
