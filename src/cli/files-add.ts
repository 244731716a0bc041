import { fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { WisError } from "../errors.ts";
import { formatBytes } from "../lib/bytes.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { withDesk } from "./files-session.ts";
import { iso } from "./files-shown.ts";
import { openProgress, print, printJson } from "./output.ts";

export interface AddInput {
  globals: Globals;
  json: boolean;
  path: string;
  owner: string;
  title?: string;
  note?: string;
  /** Reads the password from stdin: what stands on a command line, every user of the machine can see. */
  passwordStdin: boolean;
  maxDownloads?: number;
  /** Milliseconds. */
  expires?: number;
}

/** `files add`: stores a file of this machine. [usage, share.invalid, quota.*, file.too_large, disk.*] */
export async function add(input: AddInput): Promise<ExitCode> {
  const { globals, json, path, owner, expires } = input;
  const length = await lengthOf(path);
  if (input.passwordStdin && (await isStdin(path))) throw bothFromStdin();
  const sharing = {
    ...(input.title !== undefined && { title: input.title }),
    ...(input.note !== undefined && { note: input.note }),
    ...(input.maxDownloads !== undefined && { maxDownloads: input.maxDownloads }),
    ...(expires !== undefined && { expireAfter: expires }),
    ...(input.passwordStdin && { password: await passwordFromStdin() }),
  };
  const file = await withDesk(globals, async ({ files }, signal) => {
    using progress = openProgress(`Storing ${basename(path)}`, formatBytes);
    return await files.add(
      { ownerId: owner, by: "admin", ...sharing },
      {
        name: basename(path),
        contentType: undefined,
        length,
        body: Bun.file(path).stream(),
        signal,
        onProgress: (bytes) => progress.update(bytes, length),
      },
    );
  });
  if (json) printJson(linkAsJson(file));
  else print(file.url);
  return exit.ok;
}

/** A link for scripts. */
export const linkAsJson = ({ id, url, expiresAt }: { id: string; url: string; expiresAt: number }) => ({
  id,
  url,
  expires_at: iso(expiresAt),
});

/** In bytes; undefined for a pipe, whose length nobody knows. */
async function lengthOf(path: string): Promise<number | undefined> {
  const found = await Bun.file(path)
    .stat()
    .catch((cause: unknown) => {
      throw new WisError("usage", { say: `${path} can't be read.`, hint: "Name a file that exists.", cause });
    });
  if (found.isDirectory()) {
    throw new WisError("usage", { say: `${path} is a folder.`, hint: "Pack it into one file first." });
  }
  return found.isFile() ? found.size : undefined;
}

/** By whatever name: /dev/stdin, /dev/fd/0, the terminal itself. */
async function isStdin(path: string): Promise<boolean> {
  const [file, stdin] = [await stat(path), fstatSync(0)];
  return file.dev === stdin.dev && file.ino === stdin.ino;
}

function bothFromStdin(): WisError {
  return new WisError("usage", {
    say: "The file and its password can't both come from stdin.",
    hint: "Write the file to the disk first, and name it.",
  });
}

/** The first line of stdin; at a terminal it is asked for, and not shown. */
async function passwordFromStdin(): Promise<string> {
  const line = process.stdin.isTTY ? await askPassword() : await firstLine();
  if (line !== "") return line;
  throw new WisError("usage", {
    say: "There was no password on stdin.",
    hint: "Pass it on in one line: pass show PARTY | wisbot files add PATH --password-stdin",
  });
}

async function askPassword(): Promise<string> {
  const { password } = await import("@inquirer/prompts");
  try {
    return await password({ message: "Password", mask: "•" }, { output: process.stderr });
  } catch (cause) {
    throw new WisError("shutting_down", {
      say: "Interrupted: nothing was stored.",
      hint: "Run the command again.",
      cause,
    });
  }
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return "";
}
