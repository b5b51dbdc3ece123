/**
 * Schedules as EventBridge would run them: at once and then every period. Without overlap a run that is still going is not
 * joined by another, and one that took long is followed by a pause: the time between is for the work that it gives others.
 */
export interface Schedule {
  stop(): void;
}

/** Longest pause after a run that took long. */
const PAUSE_MAX_MS = 2_000;

export function every(
  periodMs: number,
  options: {
    readonly overlap: boolean;
    readonly run: () => Promise<unknown>;
    readonly onError: (error: unknown) => void;
  },
): Schedule {
  let running = 0;
  let pauseEndsAt = 0;
  const fire = (): void => {
    const begunAt = performance.now();
    if (!options.overlap && (running > 0 || begunAt < pauseEndsAt)) return;
    running += 1;
    options
      .run()
      .catch(options.onError)
      .finally(() => {
        running -= 1;
        const endedAt = performance.now();
        pauseEndsAt = endedAt + Math.min(endedAt - begunAt, PAUSE_MAX_MS);
      });
  };
  fire();
  const timer = setInterval(fire, periodMs);
  return { stop: () => clearInterval(timer) };
}
