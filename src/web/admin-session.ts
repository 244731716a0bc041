import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SESSION_LIFE } from "../members/admins.ts";
import type { WebDeps } from "./deps.ts";
import type { Middleware, WebEnv } from "./env.ts";

// Nothing that members bring runs in these pages (see headers.ts and preview-policy.ts): a script could ask for the
// admin's pages from any other one, whatever the cookie's path.
const path = "/admin";

type CookieDeps = Pick<WebDeps, "publicUrl" | "instance">;

/** Cookies know no ports: two wisbots on one machine would take each other's. */
const nameOf = ({ instance }: Pick<CookieDeps, "instance">) => `wis-admin-${instance.slice(0, 8)}`;

/** The session's key, as the browser says it. */
export const sessionOf = (deps: Pick<CookieDeps, "instance">, c: Context<WebEnv>): string | undefined =>
  getCookie(c, nameOf(deps));

export function rememberSession(deps: CookieDeps, c: Context<WebEnv>, session: string): void {
  setCookie(c, nameOf(deps), session, {
    path,
    httpOnly: true,
    sameSite: "Strict",
    secure: deps.publicUrl.startsWith("https:"),
    maxAge: SESSION_LIFE / 1000,
  });
}

export const forgetSession = (deps: CookieDeps, c: Context<WebEnv>): void =>
  void deleteCookie(c, nameOf(deps), { path });

/** Lets nobody on but who is signed in. [admin.sign_in] */
export function signedIn(deps: Pick<WebDeps, "admins" | "instance">): Middleware {
  return async (c, next) => {
    await deps.admins.admit(sessionOf(deps, c));
    return next();
  };
}
