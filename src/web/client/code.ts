// Colours source code. The page shows it without, and keeps showing it so wherever this does not work out.
import type { HighlightRequest, Token } from "./tokens.ts";
import { startWorker } from "./worker-url.ts";

/** Grammars take a fraction of this for what people write; whoever makes them take longer gets no colours. */
const PATIENCE_MS = 2_000;

for (const code of document.querySelectorAll<HTMLElement>("code[data-language]")) {
  const { language = "", worker: asset = "" } = code.dataset;
  const worker = startWorker(asset);
  const timer = setTimeout(() => worker.terminate(), PATIENCE_MS);
  worker.addEventListener("message", ({ data }: MessageEvent<Token[]>) => {
    clearTimeout(timer);
    worker.terminate();
    colour(code, data);
  });
  const request: HighlightRequest = { text: code.textContent, language };
  worker.postMessage(request);
}

/** Puts the same text in place again, in coloured pieces: never as HTML. */
function colour(code: HTMLElement, tokens: Token[]): void {
  const text = code.textContent;
  if (tokens.reduce((sum, [length]) => sum + length, 0) !== text.length) return;
  const pieces = document.createDocumentFragment();
  let at = 0;
  for (const [length, scope] of tokens) {
    const piece = text.slice(at, at + length);
    at += length;
    pieces.append(scope === "" ? piece : span(piece, scope));
  }
  code.replaceChildren(pieces);
  code.dataset.coloured = "";
}

function span(text: string, scope: string): HTMLSpanElement {
  const element = document.createElement("span");
  element.className = `code-${scope}`;
  element.textContent = text;
  return element;
}
