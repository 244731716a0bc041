/** @jsxImportSource preact */
import type { ComponentChildren, JSX } from "preact";
import { type Picked, takeFrom } from "./upload-sources.ts";

const takesFolders = (input: HTMLInputElement | null) => {
  if (input) input.webkitdirectory = true;
};

interface ChooseProps {
  pick(files: Picked[]): void;
  /** Something is held over the page. */
  over: boolean;
  /** Leaves the list its place. */
  small: boolean;
  children: ComponentChildren;
}

/** Where files come from: picked, dropped anywhere on the page, a whole folder, a phone's camera. */
export function Choose({ pick, over, small, children }: ChooseProps) {
  const take = (event: JSX.TargetedEvent<HTMLInputElement>) => pick(takeFrom(event.currentTarget));
  return (
    <div class="choose">
      <label class={`drop${over ? " over" : ""}${small ? " small" : ""}`}>
        <input type="file" class="away" id="file" multiple onChange={take} />
        <svg viewBox="0 0 24 24" width="36" height="36" aria-hidden="true">
          <path d="M12 16V4m0 0L7 9m5-5 5 5M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3" />
        </svg>
        <span class="drop-main">
          <span class="linklike">{children}</span> <span class="can-drop">or drop them here</span>
        </span>
      </label>
      <div class="actions sources">
        {"webkitdirectory" in HTMLInputElement.prototype && (
          <label class="button small">
            <input type="file" class="away" ref={takesFolders} onChange={take} />
            Choose a folder
          </label>
        )}
        <label class="button small camera">
          <input type="file" class="away" accept="image/*" capture="environment" onChange={take} />
          Take a photo
        </label>
        <label class="button small camera">
          <input type="file" class="away" accept="video/*" capture="environment" onChange={take} />
          Record a video
        </label>
      </div>
    </div>
  );
}
