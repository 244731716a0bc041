/** @jsxImportSource hono/jsx */
import { count } from "../../lib/count.ts";
import type { ShownHost } from "./hosts.ts";

function stateOf({ running, chats, url }: ShownHost): string {
  if (running === undefined) return `Yours, at ${url}.`;
  if (!running) return "Stopped: it refuses every connection.";
  return chats === 0 ? "Running, idle." : `Running, answers ${count(chats, "question")} now.`;
}

const Host = ({ host }: { host: ShownHost }) => {
  const { name, running } = host;
  return (
    <li id={`host-${name}`} class={running === false ? "host stopped" : "host"}>
      <p data-part="state">
        <strong>{name}</strong> <span>{stateOf(host)}</span>
      </p>
      {running !== undefined && (
        <p data-part="turn">
          <button
            type="button"
            class={running ? "action danger" : "action primary"}
            data-post="/hosts"
            data-name={name}
            data-turn={running ? "off" : "on"}
          >
            {running ? "Stop" : "Start"} <span class="unseen">the server {name}</span>
          </button>
        </p>
      )}
    </li>
  );
};

/** The servers that answer, as they know it themselves. */
export function Hosts({ hosts }: { hosts: ShownHost[] }) {
  return (
    <>
      {hosts.map((host) => (
        <Host host={host} />
      ))}
    </>
  );
}
