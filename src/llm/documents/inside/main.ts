// Runs in a thread: what a stranger wrote is taken apart here, where it can be stopped.
import { readDocx } from "./docx.ts";
import type { Outcome, Work } from "./messages.ts";
import { readPdf } from "./pdf.ts";
import { Refused } from "./refused.ts";

addEventListener("message", async ({ data }: MessageEvent<Work>) => postMessage(await outcomeOf(data)));

async function outcomeOf(work: Work): Promise<Outcome> {
  try {
    return { contents: work.kind === "pdf" ? await readPdf(work) : readDocx(work) };
  } catch (error) {
    // As text: not every error can be sent out of a thread.
    const cause = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
    return { refusal: error instanceof Refused ? error.refusal : "broken", cause: cause.slice(0, 4000) };
  }
}
