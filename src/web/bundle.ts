/**
 * Browser code as one script. Called as a macro: it runs while wisbot is transpiled or built, and its result is all
 * that the binary holds. A child process, since Bun.build waits for the very build that a macro holds up.
 */
export function bundle(entry: string): string {
  const built = Bun.spawnSync([
    process.execPath,
    "build",
    `${import.meta.dir}/client/${entry}`,
    "--target=browser",
    "--format=iife",
    "--minify",
  ]);
  if (!built.success) throw new Error(`bundling ${entry}: ${built.stderr.toString()}`);
  return built.stdout.toString();
}
