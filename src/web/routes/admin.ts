import { AdminEnterPage } from "../../../templates/admin-enter.tsx";
import { formatDuration } from "../../lib/duration.ts";
import { SESSION_LIFE } from "../../members/admins.ts";
import { forgetSession, rememberSession, sessionOf } from "../admin-session.ts";
import { assetUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { FORM_REFERRER, pagePolicy } from "../headers.ts";
import { page } from "../page.ts";

type AdminDeps = Pick<WebDeps, "admins" | "publicUrl" | "instance" | "telemetry" | "version">;

/** Of a page with a form that goes to where it came from. */
export const FORM_POLICY = pagePolicy({ "form-action": "'self'" });

/**
 * `GET /admin/enter/:key`: a page with a button. Link previews, scanners of mail and browsers that fetch ahead open
 * links too, and must not use one up.
 */
export function enterPage({ admins, version }: AdminDeps): Handler<"/admin/enter/:key"> {
  const lasts = formatDuration(SESSION_LIFE);
  return async (c) => {
    await admins.look(c.req.param("key"));
    c.header("Content-Security-Policy", FORM_POLICY);
    c.header("Referrer-Policy", FORM_REFERRER);
    return page(c, AdminEnterPage({ assets: assetUrls, version, lasts }));
  };
}

/** `POST /admin/enter/:key`: uses the link up, and signs this browser in instead of the session that it had. */
export function enter(deps: AdminDeps): Handler<"/admin/enter/:key"> {
  const { admins, telemetry } = deps;
  return async (c) => {
    const before = sessionOf(deps, c);
    rememberSession(deps, c, await admins.enter(c.req.param("key")));
    if (before !== undefined) await admins.leave(before);
    telemetry.log.info({ client: c.get("client") }, "An admin signed in on the web.");
    return c.redirect("/admin/history", 303);
  };
}

/** `POST /admin/sign-out`: ends this browser's session. */
export function signOut(deps: AdminDeps): Handler<"/admin/sign-out"> {
  return async (c) => {
    await deps.admins.leave(sessionOf(deps, c) ?? "");
    forgetSession(deps, c);
    return c.redirect("/", 303);
  };
}
