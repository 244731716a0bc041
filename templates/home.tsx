/** @jsxImportSource hono/jsx */
import { type Frame, Layout } from "./layout.tsx";

interface Part {
  part: "database" | "disk" | "discord" | "llm" | "collector";
  state: "ok" | "off" | "degraded" | "failed";
  detail: string;
}

type HomePageProps = Frame & {
  parts: Part[];
  /** Set while the bot is in no server. */
  inviteUrl: string | undefined;
};

const PART_NAMES: Record<Part["part"], string> = {
  database: "Database",
  disk: "Disk",
  discord: "Discord",
  llm: "Language model",
  collector: "Telemetry",
};

const STATE_NAMES: Record<Part["state"], string> = {
  ok: "Working",
  off: "Off",
  degraded: "Impaired",
  failed: "Failed",
};

const COMMANDS = [
  { command: "/wis llm", text: "Ask the language model. The answer is written while you watch." },
  { command: "/wis upload", text: "Get a private link for files that are too large for Discord." },
  { command: "/wis files", text: "See your files, and hand on, extend or delete them." },
  { command: "/wis help", text: "See everything that it can do, with the limits that apply to you." },
];

export function HomePage({ assets, version, parts, inviteUrl }: HomePageProps) {
  return (
    <Layout assets={assets} version={version} title="WisBot">
      <section class="hero">
        <h1>Your community’s own AI and file desk</h1>
        <p class="lead">
          WisBot answers questions and carries large files for a Discord server, on hardware that the
          community owns.
        </p>
        {inviteUrl && (
          <p class="actions">
            <a class="button primary" href={inviteUrl}>
              Invite it to your server
            </a>
          </p>
        )}
      </section>
      <section class="card" aria-labelledby="start">
        <h2 id="start">Start in Discord</h2>
        <ul class="commands">
          {COMMANDS.map(({ command, text }) => (
            <li>
              <code>{command}</code>
              <span>{text}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="parts">
        <h2 id="parts">How it is right now</h2>
        <ul class="parts">
          {parts.map(({ part, state, detail }) => (
            <li class={`part ${state}`}>
              <span class="dot" aria-hidden="true" />
              <span class="part-name">{PART_NAMES[part]}</span>
              <span class="part-state">{STATE_NAMES[state]}</span>
              <span class="part-detail">{detail}</span>
            </li>
          ))}
        </ul>
      </section>
    </Layout>
  );
}
