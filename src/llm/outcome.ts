const OUTCOMES: Record<string, string> = {
  ok: "answered",
  "llm.stopped": "stopped",
  "llm.interrupted": "interrupted",
  "llm.timeout": "took too long",
  "llm.unreachable": "model server away",
  "llm.host_busy": "model server busy",
  "llm.model_missing": "model missing",
  "llm.cut": "cut off",
  "llm.bad_reply": "no usable answer",
};

/** How an attempt ended, in words for people: `outcome` as its row has it, null while it runs. */
export function outcomeText(outcome: string | null): string {
  if (outcome === null) return "being answered";
  return OUTCOMES[outcome] ?? "failed";
}
