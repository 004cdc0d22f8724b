import { InterruptedError } from '../../core/errors.ts';

/** A counting semaphore that serves in order of arrival. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot; the returned function gives it back. @throws InterruptedError when `signal` aborts first */
  async acquire(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new InterruptedError();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(proceed), 1);
        reject(new InterruptedError());
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(proceed);
    });
  }
}
