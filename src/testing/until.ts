/** Asks again and again until it holds, where nothing tells. Rejects when it doesn't within 10 s. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within 10 s`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
