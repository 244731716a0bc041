// The Ollama stand-in as a process of its own, so that it does not share a thread with what is measured.
import { startOllama } from "../../src/testing/ollama.ts";

/** Tells which token of which answer it is, so that a lost one is noticed. */
const answer = (prompt: string) => Array.from({ length: 200 }, (_, index) => `${prompt}:${index} `);
const ollama = await startOllama({ answer });
console.log(ollama.url);
