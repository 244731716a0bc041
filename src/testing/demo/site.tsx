/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { csrf } from "hono/csrf";
import { streamSSE } from "hono/streaming";
import icon from "../../../templates/favicon.svg" with { type: "text" };
import type { DiscordStandIn } from "../discord/index.ts";
import type { OtlpStandIn } from "../otlp.ts";
import { ASK_ABOUT, Chat } from "./chat.tsx";
import { parseCommand } from "./command-line.ts";
import type { DemoHosts } from "./hosts.ts";
import { Hosts } from "./hosts-panel.tsx";
import { Page } from "./page.tsx";
import { channelNames } from "./places.ts";
import { samples } from "./samples.ts";
import chat from "./style/chat.css" with { type: "text" };
import composer from "./style/composer.css" with { type: "text" };
import frame from "./style/frame.css" with { type: "text" };
import ground from "./style/ground.css" with { type: "text" };
import narrow from "./style/narrow.css" with { type: "text" };
import side from "./style/side.css" with { type: "text" };
import traces from "./style/traces.css" with { type: "text" };
import { Traces } from "./traces.tsx";

// Narrow comes last: it overrules the others.
const style = [ground, frame, chat, composer, side, traces, narrow].join("\n");

export interface SiteDeps {
  discord: DiscordStandIn;
  otlp: OtlpStandIn;
  hosts: DemoHosts;
  /** Address of the running wisbot's own pages. */
  web: string;
  answeredBy: string;
  /** Ends the event streams. */
  stopped: AbortSignal;
}

/** Changes within so many milliseconds are shown together. */
const GATHERED_MS = 40;
/** How often the collector and the model servers are looked at. */
const LOOK_MS = 400;
/** As Discord's client waits for an app. */
const RESPONSE_MS = 3000;

/** A page on which one uses the bot as a member does in Discord. */
export async function createSite(deps: SiteDeps): Promise<Hono> {
  const { discord, otlp, hosts, web, answeredBy, stopped } = deps;
  const script = await bundle();
  const app = new Hono();
  app.use(csrf());

  function placeOf(given: { as?: string | undefined; channel?: string | undefined }) {
    const [first] = discord.people.filter(({ bot }) => !bot);
    const person = discord.people.find(({ name, bot }) => name === given.as && !bot) ?? first;
    const channel = channelNames.find((name) => name === given.channel) ?? "general";
    return { discord, as: person?.name ?? "", channel };
  }

  app.get("/", (context) => {
    const place = placeOf(context.req.query());
    const now = { spans: otlp.spans(), hosts: hosts.list() };
    return context.html(<Page {...place} {...now} web={web} answeredBy={answeredBy} />);
  });
  app.get("/demo.css", (context) => context.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/demo.js", (context) =>
    context.body(script, 200, { "content-type": "text/javascript; charset=utf-8" }),
  );
  for (const { name, contentType, bytes } of samples)
    app.get(`/samples/${name}`, async (context) =>
      context.body(await bytes(), 200, { "content-type": contentType }),
    );
  app.get("/icon.svg", (context) => context.body(icon, 200, { "content-type": "image/svg+xml" }));

  app.get("/events", (context) => {
    const place = placeOf(context.req.query());
    return streamSSE(context, async (stream) => {
      const left = new AbortController();
      stream.onAbort(() => left.abort());
      const done = AbortSignal.any([left.signal, stopped]);
      const send = async () => {
        const counts = channelNames.map((channel) => [
          channel,
          discord.messages({ user: place.as, channel }).length,
        ]);
        await stream.writeSSE({ event: "messages", data: String(<Chat {...place} />) });
        await stream.writeSSE({ event: "counts", data: JSON.stringify(Object.fromEntries(counts)) });
      };
      const sendHosts = async () => {
        const data = String(<Hosts hosts={hosts.list()} />);
        if (data !== shownHosts) await stream.writeSSE({ event: "hosts", data });
        shownHosts = data;
      };
      let seen = otlp.spans().length;
      let shownHosts = "";
      await send();
      for await (const changed of ticks(discord, done)) {
        if (changed) await send();
        await sendHosts();
        const spans = otlp.spans();
        if (spans.length !== seen)
          await stream.writeSSE({ event: "traces", data: String(<Traces spans={spans} />) });
        seen = spans.length;
      }
    });
  });

  app.post("/commands", async (context) => {
    const form = await context.req.formData();
    const { as: user, channel } = placeOf({ as: text(form, "as"), channel: text(form, "channel") });
    const line = text(form, "line");
    if (!line.trim()) return context.text("Type a command, such as /wis help.", 400);
    const given = form.get("file");
    const file = given instanceof File && given.name ? given : undefined;
    if (!line.startsWith("/")) {
      const replyTo = text(form, "reply");
      discord.say({
        user,
        channel,
        content: line.replaceAll(
          `@${discord.user(discord.applicationId).displayName}`,
          `<@${discord.applicationId}>`,
        ),
        ...(replyTo !== "" && { replyTo: { id: replyTo } }),
        files: file ? [await attached(file)] : [],
      });
      return context.body(null, 204);
    }
    const on = form.getAll("on").map(String);
    const { command, options } = await parseCommand({ line, file, on }, discord.commands({ user, channel }));
    const asked = discord.invoke({ user, channel, command, options });
    await asked.response({ timeout: RESPONSE_MS });
    return context.body(null, 204);
  });

  app.post("/presses", async (context) => {
    const form = await context.req.formData();
    const { as: user } = placeOf({ as: text(form, "as") });
    const pressed = discord.press({
      user,
      message: { id: text(form, "message") },
      button: text(form, "button"),
    });
    await pressed.response({ timeout: RESPONSE_MS });
    return context.body(null, 204);
  });

  app.post("/choices", async (context) => {
    const form = await context.req.formData();
    const { as: user } = placeOf({ as: text(form, "as") });
    const chosen = discord.choose({ user, message: { id: text(form, "message") }, command: ASK_ABOUT });
    await chosen.response({ timeout: RESPONSE_MS });
    return context.body(null, 204);
  });

  app.post("/hosts", async (context) => {
    const form = await context.req.formData();
    await hosts.turn(text(form, "name"), text(form, "turn") === "on");
    return context.body(null, 204);
  });

  // Whatever goes wrong here is for the person at the page: an option that is missing, a bot that is silent.
  app.onError((error, context) => {
    const silent = error.message.startsWith("Waited");
    return context.text(silent ? "The application did not respond." : error.message, silent ? 504 : 400);
  });
  return app;
}

const attached = async (file: File) => ({
  name: file.name,
  bytes: new Uint8Array(await file.arrayBuffer()),
  contentType: file.type || "application/octet-stream",
});

/** True after changes, gathered; false when it is time to look elsewhere. Ends with the signal. */
async function* ticks(discord: DiscordStandIn, done: AbortSignal): AsyncGenerator<boolean> {
  let changed = false;
  let wake = () => {};
  const unsubscribe = discord.subscribe((change) => {
    if (change !== "message") return;
    changed = true;
    wake();
  });
  const onDone = () => wake();
  done.addEventListener("abort", onDone);
  try {
    while (!done.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = setTimeout(resolve, LOOK_MS);
      if (changed) resolve();
      await promise;
      clearTimeout(timer);
      if (changed) await Bun.sleep(GATHERED_MS);
      const now = changed;
      changed = false;
      if (!done.aborted) yield now;
    }
  } finally {
    unsubscribe();
    done.removeEventListener("abort", onDone);
  }
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

async function bundle(): Promise<string> {
  const built = await Bun.build({ entrypoints: [`${import.meta.dir}/client/main.ts`], target: "browser" });
  const [output] = built.outputs;
  if (!output) throw new Error("the demo's script did not build");
  return output.text();
}
