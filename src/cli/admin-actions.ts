import type { AdminDesk } from "../app/admins.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { count } from "../lib/count.ts";
import { formatDuration } from "../lib/duration.ts";
import { LINK_LIFE, SESSION_LIFE } from "../members/admins.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { iso } from "./files-shown.ts";
import { note, print, printJson } from "./output.ts";
import { withOpened } from "./session.ts";

interface Input {
  globals: Globals;
  json: boolean;
}

async function openAdmins(loaded: LoadedConfig, telemetry: Telemetry): Promise<AdminDesk> {
  const app = await import("../app/admins.ts");
  return app.openAdmins(loaded, telemetry);
}

/** `admin link`: whoever opens it and presses the button is signed in. Stdout has the link and nothing else. */
export async function link({ globals, json }: Input): Promise<ExitCode> {
  const { url, endsAt } = await withOpened(globals, openAdmins, (admins) => admins.link());
  if (json) printJson({ url, expires_at: iso(endsAt) });
  else print(url);
  const [within, lasts] = [LINK_LIFE, SESSION_LIFE].map((life) => formatDuration(life));
  note(`It works once, within ${within}, and signs that browser in for ${lasts}. Show it to nobody.`);
  return exit.ok;
}

/** `admin sign-out`: of everybody. */
export async function signOut({ globals, json }: Input): Promise<ExitCode> {
  const ended = await withOpened(globals, openAdmins, (admins) => admins.signOutAll());
  if (json) printJson(ended);
  else print(`Ended: ${count(ended.sessions, "session")}, ${count(ended.links, "unused link")}.`);
  return exit.ok;
}
