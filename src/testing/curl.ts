export interface CurlAnswer {
  exitCode: number;
  status: number;
  body: string;
  stderr: string;
}

/** The curl that people use, since its way of sending (Expect, early answers, chunks) is its own. */
export async function curl(args: string[], stdin?: Uint8Array<ArrayBuffer>): Promise<CurlAnswer> {
  const MARK = "\n--status--";
  const process = Bun.spawn(
    ["curl", "--silent", "--show-error", "--max-time", "20", "-w", `${MARK}%{http_code}`, ...args],
    {
      stdin: stdin ?? "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
    process.exited,
  ]);
  const at = stdout.lastIndexOf(MARK);
  return { exitCode, status: Number(stdout.slice(at + MARK.length)), body: stdout.slice(0, at), stderr };
}
