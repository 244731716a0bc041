/** @jsxImportSource hono/jsx */
import { formatDuration, parseDuration } from "../src/lib/duration.ts";

const CHOICES = ["1h", "6h", "1d", "3d", "7d", "14d", "30d", "90d", "180d", "365d"];

interface UploadOptionsProps {
  /** How long a share is kept where its sender chooses nothing, and at most; milliseconds. */
  limits: { expireAfter: number; maxExpireAfter: number };
}

/** What a sender may wish for, all of it optional. Fields of a form; the upload script reads them as well. */
export function UploadOptions({ limits }: UploadOptionsProps) {
  const { expireAfter, maxExpireAfter } = limits;
  const choices = CHOICES.map((value) => ({ value, time: parseDuration(value) ?? 0 })).filter(
    ({ time }) => time <= maxExpireAfter && time !== expireAfter,
  );
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
            <option value="">{formatDuration(expireAfter)} (as usual)</option>
            {choices.map(({ value, time }) => (
              <option value={value}>{formatDuration(time)}</option>
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
