/**
 * Keeps the screen on while something is being sent: a phone that locks itself ends the transfer. Browsers give the
 * lock only to visible pages in secure contexts, and take it back when the page is hidden.
 */
export function createWakefulness() {
  let wanted = false;
  let lock: WakeLockSentinel | undefined;

  async function update(): Promise<void> {
    if (!("wakeLock" in navigator)) return;
    if (!wanted) {
      await lock?.release();
      lock = undefined;
    } else if (!document.hidden && (lock === undefined || lock.released)) {
      lock = await navigator.wakeLock.request("screen");
    }
  }

  function apply(): void {
    update().catch((refused) => console.info("the screen may turn off", refused));
  }

  document.addEventListener("visibilitychange", apply);

  return {
    keep(awake: boolean): void {
      if (awake === wanted) return;
      wanted = awake;
      apply();
    },
  };
}
