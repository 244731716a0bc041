import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { WisError } from "../errors.ts";
import { signedIn } from "./admin-session.ts";
import { clientResolver, isNearby } from "./client-address.ts";
import { refuseCrossSite } from "./cross-site.ts";
import type { WebDeps } from "./deps.ts";
import type { Middleware, WebEnv } from "./env.ts";
import { safeHeaders } from "./headers.ts";
import { rememberRight } from "./known-passwords.ts";
import { createLooks } from "./looks.ts";
import { observe } from "./observe.ts";
import { servePdfAsset } from "./preview-assets.ts";
import { createPreviews } from "./preview-content.ts";
import { createProblems } from "./problem.ts";
import { createRateGate, defaultRates, type RateGate } from "./rates.ts";
import { enter, enterPage, signOut } from "./routes/admin.ts";
import { adminHistory } from "./routes/admin-history.ts";
import { serveAsset } from "./routes/assets.ts";
import { download } from "./routes/download.ts";
import { form } from "./routes/form.ts";
import { live, ready } from "./routes/health.ts";
import { home } from "./routes/home.ts";
import { scrape } from "./routes/metrics.ts";
import { resumable } from "./routes/resumable.ts";
import { openDoor, share } from "./routes/share.ts";
import { finish, settings } from "./routes/sharing.ts";
import { postFile, putFile } from "./routes/token-upload.ts";
import { nameMissing, upload } from "./routes/upload.ts";
import { uploadPage } from "./routes/upload-page.ts";
import { view } from "./routes/view.ts";
import { TUS_PATH } from "./tus.ts";

export interface AppDeps extends WebDeps {
  /** Aborts when the server must end: what still uploads is cut. */
  closing: AbortSignal;
  /** The uploads that run now, so that a stop can wait until the last one has tidied up. */
  uploads: Set<Promise<unknown>>;
}

// hono takes HEAD to what answers GET.
const TUS_METHODS = ["GET", "POST", "PATCH", "DELETE", "OPTIONS"];

/** Every route there is, in one table. */
export function createApp(deps: AppDeps): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  const gate = createRateGate({ ...defaultRates, ...deps.rates });
  const problems = createProblems(deps);

  app.onError(problems.failed);
  app.notFound(problems.notFound);
  app.use(safeHeaders(deps));
  app.use(knowClient(deps));
  app.use(observe(deps));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: problems.methodNotAllowed }));
  app.use(refuseUndecodable);
  app.use(refuseCrossSite(deps));

  // Asked by machines all the time and cheap: not counted.
  app.get("/live", live(deps));
  app.get("/assets/:name", serveAsset);
  app.get("/assets/:folder/:name", servePdfAsset);

  // Counted by its guesses and its places: a bundle is thousands of requests. It comes before the routes that count.
  app.use(`${TUS_PATH}/*`, limitGuesses(gate));
  app.on(TUS_METHODS, [TUS_PATH, `${TUS_PATH}/:id`], resumable({ ...deps, gate }));

  app.use(limitRequests(gate));
  app.get("/ready", ready(deps));
  app.get("/metrics", scrape(deps));
  app.get("/", home(deps));

  const given = {
    ...deps,
    gate,
    previews: createPreviews(deps),
    looks: createLooks(deps),
    unlockAgain: rememberRight(deps.files),
  };
  for (const path of ["/u/*", "/f/*", "/admin/*"]) app.use(path, limitGuesses(gate));
  app.get("/u/:ticket", uploadPage(deps));
  app.get("/u/:ticket/", uploadPage(deps));
  app.post("/u/:ticket", form(given));
  app.post("/u/:ticket/settings", settings(deps));
  app.post("/u/:ticket/finish", finish(deps));
  app.put("/u/:ticket", nameMissing);
  app.put("/u/:ticket/", nameMissing);
  app.put("/u/:ticket/:filename", upload(given));
  app.post("/api/files", postFile(given));
  app.put("/api/files/:filename", putFile(given));
  app.get("/f/:id", share(given));
  app.post("/f/:id", openDoor(given));
  app.get("/f/:id/view", view(given));
  app.get("/f/:id/download", download(given));

  app.get("/admin/enter/:key", enterPage(deps));
  app.post("/admin/enter/:key", enter(deps));
  // Whatever stands below is the admin's alone.
  app.use("/admin/*", signedIn(deps));
  app.get("/admin", (c) => c.redirect("/admin/history"));
  app.get("/admin/history", adminHistory(deps));
  app.post("/admin/sign-out", signOut(deps));
  return app;
}

/** Sets who asks, before anything counts by it. */
function knowClient({ config, telemetry }: Pick<WebDeps, "config" | "telemetry">): Middleware {
  const resolve = clientResolver(config.web.trusted_proxies);
  let warned = false;
  return (c, next) => {
    // Null once the client has gone; nobody will read the answer.
    const peer = c.env.server.requestIP(c.req.raw)?.address ?? "unknown";
    c.set("peer", peer);
    const forwardedFor = c.req.header("x-forwarded-for");
    const client = resolve(peer, forwardedFor);
    c.set("client", client);
    if (!warned && forwardedFor !== undefined && client === peer && isNearby(peer)) {
      warned = true;
      telemetry.log.warn(
        { peer },
        "A proxy that web.trusted_proxies does not name sends requests on: limits count all of its clients as one.",
      );
    }
    return next();
  };
}

/** hono hands `%zz` to a route as it stands; a path that decodes to nothing, or to a NUL, names nothing here. */
const refuseUndecodable: Middleware = (c, next) => {
  if (!decodes(c.req.path)) {
    throw new WisError("bad_request", {
      say: "This address is not written correctly.",
      hint: "Write the file's name in percent-encoded UTF-8; curl does so by itself.",
    });
  }
  return next();
};

function decodes(path: string): boolean {
  try {
    const decoded = path.includes("%") ? decodeURIComponent(path) : path;
    return !decoded.includes("\0");
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function limitRequests(gate: RateGate): Middleware {
  return async (c, next) => {
    // Uploads are counted where they are taken.
    if (c.req.method !== "PUT") await gate.request(c.get("client"));
    return next();
  };
}

/** Whoever tries many links that don't exist is not shown those that do. */
function limitGuesses(gate: RateGate): Middleware {
  return async (c, next) => {
    await gate.mayAskForLink(c.get("client"));
    await next();
    if (c.res.status === 404) await gate.guessed(c.get("client"));
  };
}
