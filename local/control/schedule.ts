/** Schedules as EventBridge would run them: at once and then every period; a run that is still going is not joined by another. */
export interface Schedule {
  stop(): void;
}

export function every(
  periodMs: number,
  options: {
    readonly overlap: boolean;
    readonly run: () => Promise<unknown>;
    readonly onError: (error: unknown) => void;
  },
): Schedule {
  let running = 0;
  const fire = (): void => {
    if (running > 0 && !options.overlap) return;
    running += 1;
    options
      .run()
      .catch(options.onError)
      .finally(() => {
        running -= 1;
      });
  };
  fire();
  const timer = setInterval(fire, periodMs);
  return { stop: () => clearInterval(timer) };
}
