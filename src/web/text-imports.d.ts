// Files that are embedded as text: `import style from "….css" with { type: "text" }`.
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.svg" {
  const text: string;
  export default text;
}

// Files that are embedded as they stand: `import path from "….mjs" with { type: "file" }`.
declare module "pdfjs-dist/legacy/build/pdf.worker.min.mjs" {
  const path: string;
  export default path;
}
declare module "pdfjs-dist/legacy/build/pdf.min.mjs" {
  const path: string;
  export default path;
}
declare module "pdfjs-dist/wasm/*" {
  const path: string;
  export default path;
}
