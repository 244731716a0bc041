// The Ollama stand-in as a process of its own, so that it does not share a thread with what is measured.
import { startOllama } from "../../src/testing/ollama.ts";

const { TOKENS = "200", TOKENS_PER_SECOND } = process.env;
/** Tells which token of which answer it is, so that a lost one is noticed. */
const answer = (prompt: string) =>
  Array.from({ length: Number(TOKENS) }, (_, index) => `${prompt}:${index} `);
const tokensPerSecond = TOKENS_PER_SECOND === undefined ? undefined : Number(TOKENS_PER_SECOND);
const ollama = await startOllama({ answer, ...(tokensPerSecond !== undefined && { tokensPerSecond }) });
console.log(ollama.url);
