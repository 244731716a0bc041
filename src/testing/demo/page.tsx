/** @jsxImportSource hono/jsx */
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import type { ReceivedSpan } from "../otlp.ts";
import { Chat, type ChatProps } from "./chat.tsx";
import type { ShownHost } from "./hosts.ts";
import { Hosts } from "./hosts-panel.tsx";
import { headingOf } from "./places.ts";
import { Rail } from "./rail.tsx";
import { Traces } from "./traces.tsx";
import { Tries } from "./tries.tsx";

export interface PageProps extends ChatProps {
  spans: ReceivedSpan[];
  hosts: ShownHost[];
  /** Address of the running wisbot's own pages. */
  web: string;
  /** Who answers /wis llm, in a sentence. */
  answeredBy: string;
}

const EXAMPLES = [
  { line: "/wis help", note: "what it can do" },
  { line: "/wis upload", note: "a link, or attach a file" },
  { line: "/wis llm Why is the sky blue?", note: "a streamed answer" },
  { line: "@WisBot And why is it red at sunset?", note: "a mention; reply to go on" },
];

const Composer = ({ discord, as, channel }: ChatProps) => {
  const offered = discord.commands({ user: as, channel });
  const commands = offered.map(({ path, description, options }) => ({
    path,
    description,
    options: options.map(({ name, type, description, required }) => ({ name, type, description, required })),
  }));
  return (
    <form class="composer" method="post" action="/commands" enctype="multipart/form-data">
      <input type="hidden" name="as" value={as} />
      <input type="hidden" name="channel" value={channel} />
      <input type="hidden" name="reply" value="" />
      <p class="alert" role="alert" hidden />
      <p class="replying" hidden>
        <span />
        <button type="button" class="unreply" aria-label="Don't reply">
          ×
        </button>
      </p>
      <div class="menu" role="listbox" id="menu" aria-label="Commands" hidden />
      <div class="extras" hidden>
        <label class="pick">
          <input type="file" name="file" />
          <span>Attach a file</span>
        </label>
        <button type="button" class="unpick" hidden aria-label="Remove the file">
          ×
        </button>
        <label class="switch">
          <input type="checkbox" name="on" value="private" />
          <span>private</span>
        </label>
      </div>
      <div class="line">
        <input
          name="line"
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="Write a message, or / for commands"
          aria-label="Message"
          aria-controls="menu"
          data-commands={JSON.stringify(commands)}
        />
        <button type="submit">Send</button>
      </div>
    </form>
  );
};

const Welcome = () => (
  <section class="welcome" aria-label="What to try">
    <h1>Try WisBot without an account</h1>
    <p>
      This page stands in for Discord. The bot behind it is the real <code>wisbot serve</code>: its database,
      files, web pages and traces are what an admin would run.
    </p>
    <p class="guided">
      More to try, a step at a time, stands behind <strong>Guide</strong> above.
    </p>
    <ul class="examples">
      {EXAMPLES.map(({ line, note }) => (
        <li>
          <button type="button" data-type={line}>
            <code>{line}</code> <span>{note}</span>
          </button>
        </li>
      ))}
    </ul>
  </section>
);

const Document = ({ children }: { children?: Child }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>WisBot demo</title>
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      <link rel="stylesheet" href="/demo.css" />
      <script type="module" src="/demo.js" />
    </head>
    <body>{children}</body>
  </html>
);

/** What stands beside the chat; on narrow screens, in its place. */
const Side = ({ hosts, spans }: Pick<PageProps, "hosts" | "spans">) => (
  <aside class="side" id="side" aria-label="Guide">
    <Tries standIns={hosts.some(({ running }) => running !== undefined)} />
    <section class="hosts">
      <h2>Model servers</h2>
      <ul id="hosts">
        <Hosts hosts={hosts} />
      </ul>
    </section>
    <section class="traces">
      <h2>Traces</h2>
      <div id="trace-list">
        <Traces spans={spans} />
      </div>
    </section>
  </aside>
);

/** The whole page as one person sees one channel. */
export function Page({ discord, as, channel, spans, hosts, web, answeredBy }: PageProps) {
  const { title, about } = headingOf(channel);
  return (
    <>
      {raw("<!DOCTYPE html>")}
      <Document>
        <header class="top">
          <strong>WisBot demo</strong>
          <p>{answeredBy}</p>
          <a href={web} target="_blank" rel="noreferrer noopener">
            Web pages <span aria-hidden="true">↗</span>
          </a>
          <button type="button" class="toggle" aria-expanded="false" aria-controls="side">
            Guide
          </button>
        </header>
        <div class="frame">
          <Rail as={as} channel={channel} />
          <main class="chat">
            <p class="about">
              <strong>{title}</strong> {about}
            </p>
            <div class="scroll">
              <Welcome />
              <div id="messages" aria-live="polite">
                <Chat discord={discord} as={as} channel={channel} />
              </div>
            </div>
            <Composer discord={discord} as={as} channel={channel} />
          </main>
          <Side hosts={hosts} spans={spans} />
        </div>
      </Document>
    </>
  );
}
