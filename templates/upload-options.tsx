/** @jsxImportSource hono/jsx */
import { formatDuration, parseDuration } from "../src/lib/duration.ts";

const CHOICES = ["1h", "6h", "1d", "3d", "7d", "14d", "30d", "90d", "180d", "365d"];

export interface Expiry {
  /** What a sender may choose, milliseconds. */
  shortest: number;
  longest: number;
  /** Where the sender chooses nothing. */
  usual: number;
}

/** What a sender may wish for, all of it optional. Fields of a form; the upload script reads them as well. */
export function UploadOptions({ expiry }: { expiry: Expiry }) {
  const choices = CHOICES.filter((choice) => isWithin(parseDuration(choice) ?? 0, expiry));
  return (
    <details class="options" id="options">
      <summary>Options</summary>
      <div class="options-fields">
        <label class="field wide">
          Title
          <input type="text" name="title" maxlength={120} autocomplete="off" />
        </label>
        <label class="field wide">
          Note
          <textarea name="note" rows={3} maxlength={2000} />
        </label>
        <label class="field">
          Expires after
          <select name="expires">
            <option value="">{formatDuration(expiry.usual)} (as usual)</option>
            {choices.map((choice) => (
              <option value={choice}>{formatDuration(parseDuration(choice) ?? 0)}</option>
            ))}
          </select>
        </label>
        <label class="field">
          Maximum downloads
          <input
            type="number"
            name="max_downloads"
            min={1}
            step={1}
            inputmode="numeric"
            placeholder="No limit"
          />
        </label>
        <label class="field wide">
          Password
          <input type="password" name="password" maxlength={200} autocomplete="new-password" />
        </label>
      </div>
    </details>
  );
}

function isWithin(duration: number, { shortest, longest, usual }: Expiry): boolean {
  return duration >= shortest && duration <= longest && duration !== usual;
}
