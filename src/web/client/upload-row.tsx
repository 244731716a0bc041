/** @jsxImportSource preact */

import { useMemo } from "preact/hooks";
import prettyBytes from "pretty-bytes";
import type { Item } from "./upload-item.ts";
import type { ServerFile } from "./upload-server.ts";
import type { Session } from "./upload-session.ts";

const STATES = {
  chosen: "",
  waiting: "Waiting",
  sending: "",
  paused: "Paused",
  failed: "Not sent",
  ready: "Sent",
  missing: "Choose it again to go on",
} satisfies Record<Item["state"], string>;

const ICONS = {
  remove: "M6 6l12 12M18 6L6 18",
  pause: "M9 6v12M15 6v12",
  resume: "M8 5.5v13l10-6.5z",
  again: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5",
};

interface ActionProps {
  icon: keyof typeof ICONS;
  label: string;
  act(): void;
}

function Action({ icon, label, act }: ActionProps) {
  return (
    <button type="button" class="action" aria-label={label} title={label} onClick={act}>
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <path d={ICONS[icon]} />
      </svg>
    </button>
  );
}

interface RowProps {
  item: Item;
  session: Session;
}

/** One file of the list. Preact skips what is the same object, so that only rows are drawn whose file changed. */
export function Row({ item, session }: RowProps) {
  return useMemo(() => row(item, session), [item, session]);
}

function row({ id, name, folder, size, sent, state }: Item, session: Session) {
  const moving = state === "sending" || state === "waiting";
  const part = sent > 0 && sent < size;
  return (
    <li class={`item ${state}`}>
      <Name name={name} folder={folder} />
      <span class="item-facts">
        {part ? `${prettyBytes(sent)} of ${prettyBytes(size)}` : prettyBytes(size)}
        {STATES[state] && <span class="item-state">{STATES[state]}</span>}
      </span>
      <span class="item-actions">
        {moving && <Action icon="pause" label={`Pause ${name}`} act={() => session.pauseOrResume(id)} />}
        {state === "paused" && (
          <Action icon="resume" label={`Resume ${name}`} act={() => session.pauseOrResume(id)} />
        )}
        {state === "failed" && (
          <Action icon="again" label={`Try ${name} again`} act={() => session.retry(id)} />
        )}
        {state !== "ready" && (
          <Action icon="remove" label={`Remove ${name}`} act={() => session.remove(id)} />
        )}
      </span>
      {(moving || state === "paused" || state === "missing") && <Bar name={name} sent={sent} size={size} />}
    </li>
  );
}

/** A file that an earlier visit has sent, whole or in part. */
export function RowElsewhere({ file: { name, size, state, received } }: { file: ServerFile }) {
  const ready = state === "ready";
  return (
    <li class={`item ${ready ? "ready" : "missing"}`}>
      <Name name={name} folder="" />
      <span class="item-facts">
        {ready ? prettyBytes(size) : `${prettyBytes(received)} of ${prettyBytes(size)}`}
        <span class="item-state">{STATES[ready ? "ready" : "missing"]}</span>
      </span>
      {!ready && <Bar name={name} sent={received} size={size} />}
    </li>
  );
}

function Name({ name, folder }: { name: string; folder: string }) {
  return (
    <span class="item-name">
      {folder && <span class="item-folder">{folder}/</span>}
      {name}
    </span>
  );
}

function Bar({ name, sent, size }: { name: string; sent: number; size: number }) {
  return <progress class="item-bar" max={Math.max(1, size)} value={sent} aria-label={name} />;
}
