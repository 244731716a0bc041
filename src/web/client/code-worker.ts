// Runs in a worker: some texts keep a grammar busy for seconds, and there it can be stopped.
import { highlight } from "./highlight.ts";
import type { HighlightRequest } from "./tokens.ts";

addEventListener("message", ({ data }: MessageEvent<HighlightRequest>) =>
  postMessage(highlight(data.text, data.language)),
);
