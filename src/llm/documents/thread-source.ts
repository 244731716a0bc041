/**
 * What the thread runs, as one script. Called as a macro: it runs while wisbot is transpiled or built, for a compiled
 * binary can start a thread from text only. A child process, since Bun.build waits for the very build that a macro
 * holds up.
 */
export function threadSource(): string {
  const entry = `${import.meta.dir}/inside/main.ts`;
  const built = Bun.spawnSync([process.execPath, "build", entry, "--target=bun", "--format=esm", "--minify"]);
  if (!built.success) throw new Error(`bundling ${entry}: ${built.stderr.toString()}`);
  return built.stdout.toString();
}
