/** Carries what no retry heals to whoever ends the process; what comes before somebody listens is kept. */
export class FatalLine {
  #stop: ((cause: Error) => void) | null = null;
  #early: Error | null = null;

  readonly report = (cause: unknown): void => {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#stop === null) this.#early ??= error;
    else this.#stop(error);
  };

  readonly connect = (stop: (cause: Error) => void): void => {
    this.#stop = stop;
    if (this.#early !== null) stop(this.#early);
  };
}
