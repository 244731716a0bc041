import type { UppyFile } from "@uppy/core";
import type { TusBody } from "@uppy/tus";
import { LOST, type Problem, problemOf } from "./upload-problem.ts";

/** What goes along with every file. */
export type Meta = { ticket?: string; relativePath?: string };
export type Held = UppyFile<Meta, TusBody>;

/**
 * `missing` was being sent by an earlier visit and has to be picked again: the browser did not keep its bytes.
 * `waiting` has been started and is not in turn yet.
 */
export type ItemState = "chosen" | "waiting" | "sending" | "paused" | "failed" | "ready" | "missing";

/** One file of the list. Sizes in bytes. */
export interface Item {
  id: string;
  name: string;
  folder: string;
  size: number;
  sent: number;
  state: ItemState;
  problem: Problem | undefined;
}

const items = new WeakMap<Held, Item>();

/** The same object for the same state of a file, so that a long list draws only what changed. */
export function itemOf(file: Held): Item {
  const known = items.get(file);
  if (known) return known;
  const item = describe(file);
  items.set(file, item);
  return item;
}

function describe(file: Held): Item {
  const path = file.meta.relativePath ?? file.name;
  const state = stateOf(file);
  const size = file.size ?? 0;
  return {
    id: file.id,
    name: file.name,
    folder: path.slice(0, Math.max(0, path.lastIndexOf("/"))),
    size,
    sent: state === "ready" ? size : file.progress.bytesUploaded || 0,
    state,
    problem: state === "failed" ? failureOf(file) : undefined,
  };
}

function stateOf({ isGhost, isPaused, error, progress }: Held): ItemState {
  if (progress.uploadComplete) return "ready";
  if (isGhost) return "missing";
  if (error) return "failed";
  if (!progress.uploadStarted) return "chosen";
  if (isPaused) return "paused";
  return progress.bytesUploaded > 0 ? "sending" : "waiting";
}

function failureOf({ response }: Held): Problem {
  const xhr = response?.body?.xhr;
  if (!xhr) return LOST;
  return problemOf({
    status: xhr.status,
    type: xhr.getResponseHeader("content-type"),
    text: xhr.responseText,
  });
}
