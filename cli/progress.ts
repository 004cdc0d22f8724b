import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** How far a long operation has come. */
export interface Progress {
  done: number;
  expected: number;
  elapsedMs: number;
  /** Of `done`, what was there before the operation began, and counts neither for its rate nor for its end. */
  before?: number;
}

export interface ProgressDisplay {
  show: (progress: Progress) => void;
  /** Leaves the terminal as it was; has to be called before anything else is printed. */
  stop: () => void;
}

/** Where there is no terminal, a line this often says that something is going on. */
const lineIntervalMs = 5000;

/** A bar with rate and remaining time on a terminal, a plain line every few seconds elsewhere; on stderr in both cases. */
export function createProgress(output: Output, unit: string): ProgressDisplay {
  return process.stderr.isTTY ? barOn(unit) : linesTo(output, unit);
}

function barOn(unit: string): ProgressDisplay {
  const format = `{bar} {percentage} % | {value}/{total} ${unit} | {rate}/s | {remaining} left`;
  const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true }, Presets.shades_classic);
  let isShown = false;
  return {
    show: (progress) => {
      const { done, expected } = progress;
      const shown = { rate: rateOf(progress), remaining: remainingOf(progress) };
      if (!isShown) bar.start(expected, done, shown);
      // An estimate becomes better on the way.
      bar.setTotal(expected);
      bar.update(Math.min(done, expected), shown);
      isShown = true;
    },
    stop: () => {
      if (isShown) bar.stop();
    },
  };
}

function linesTo(output: Output, unit: string): ProgressDisplay {
  let nextLineMs = lineIntervalMs;
  return {
    show: (progress) => {
      const { done, expected, elapsedMs } = progress;
      if (elapsedMs < nextLineMs) return;
      nextLineMs = elapsedMs + lineIntervalMs;
      const [has, of] = [done.toLocaleString('en-US'), expected.toLocaleString('en-US')];
      output.note(`${has} of ${of} ${unit}, ${rateOf(progress)}/s, ${remainingOf(progress)} left`);
    },
    stop: () => undefined,
  };
}

function rateOf({ done, elapsedMs, before = 0 }: Progress): string {
  return elapsedMs > 0 ? Math.round(((done - before) * 1000) / elapsedMs).toLocaleString('en-US') : '0';
}

/** `45 s`, `12 min`, `3.4 h`; a dash before anything has happened. */
function remainingOf({ done, expected, elapsedMs, before = 0 }: Progress): string {
  if (done <= before) return '-';
  const seconds = (Math.max(0, expected - done) * elapsedMs) / (done - before) / 1000;
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
