import { WisError } from "../errors.ts";

/** What a form may take besides its files, whose size and pace are the file desk's to judge. */
export interface FormRules {
  /** How long all of it is waited for, milliseconds. */
  patience: number;
  bytes: number;
}

/** The heads of 2,000 files and the longest settings are less than half of it. */
export const formRules: FormRules = { patience: 30_000, bytes: 1_000_000 };

export interface FormBounds extends Disposable {
  /** So many bytes of the body were read. */
  read(bytes: number): void;
  /** A file has begun; it is taken until this is disposed. Its bytes don't count, nor does the time. */
  taking(file: { bytesRead: number }): Disposable;
}

/** Watches a form from now on. `onPassed` is called with a WisError `upload.slow` or `bad_request`. */
export function createFormBounds(
  { patience, bytes }: FormRules,
  onPassed: (error: WisError) => void,
): FormBounds {
  const open = new Set<{ bytesRead: number }>();
  let own = 0;
  let left = patience;
  let since = performance.now();
  let timer: Timer | undefined = setTimeout(passed, left);
  let isOver = false;

  function passed() {
    onPassed(tooSlow());
  }
  function stop() {
    if (timer === undefined) return;
    left -= performance.now() - since;
    clearTimeout(timer);
    timer = undefined;
  }
  function goOn() {
    if (isOver || open.size > 0) return;
    since = performance.now();
    timer = setTimeout(passed, Math.max(left, 0));
  }

  function count(more: number) {
    own += more;
    // While a file is being taken nobody knows how many of them are its own.
    if (open.size === 0 && own > bytes) onPassed(tooLarge());
  }

  return {
    read: count,
    taking(file) {
      stop();
      open.add(file);
      return {
        [Symbol.dispose]() {
          open.delete(file);
          count(-file.bytesRead);
          goOn();
        },
      };
    },
    [Symbol.dispose]() {
      isOver = true;
      stop();
    },
  };
}

function tooSlow(): WisError {
  return new WisError("upload.slow", {
    say: "The form arrived too slowly.",
    hint: "Send it again over a better connection.",
  });
}

function tooLarge(): WisError {
  return new WisError("bad_request", {
    say: "The form has far more in it than files and their settings.",
    hint: "Send the files alone, or use curl -T FILE LINK/.",
  });
}
