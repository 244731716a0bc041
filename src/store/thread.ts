/**
 * Runs a script in a thread that lives for that only, hands it `input` as a message and gives the message that it
 * answers with. The script is text, not a file: a compiled binary would need it as an entry point of its own.
 */
export async function runInThread<Answer>(script: string, input: object): Promise<Answer> {
  const url = URL.createObjectURL(new Blob([script], { type: "application/javascript" }));
  const worker = new Worker(url);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.addEventListener("close", () => reject(new Error("its thread ended without a word")));
    worker.postMessage(input);
    return await promise;
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}
