import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.ts';

/** How far a long operation has come. */
export interface Progress {
  done: number;
  expected: number;
  elapsedMs: number;
}

export interface ProgressDisplay {
  show: (progress: Progress) => void;
  /** Leaves the terminal as it was; has to be called before anything else is printed. */
  stop: () => void;
}

/** Where there is no terminal, a line this often says that something is going on. */
const lineIntervalMs = 5000;

/** A bar with the rate on a terminal, a plain line every few seconds elsewhere; on stderr in both cases. */
export function createProgress(output: Output, unit: string): ProgressDisplay {
  return process.stderr.isTTY ? barOn(unit) : linesTo(output, unit);
}

function barOn(unit: string): ProgressDisplay {
  const format = `{bar} {percentage} % | {value}/{total} ${unit} | {rate}/s`;
  const bar = new SingleBar({ format, clearOnComplete: true, hideCursor: true }, Presets.shades_classic);
  let isShown = false;
  return {
    show: ({ done, expected, elapsedMs }) => {
      const rate = rateOf(done, elapsedMs);
      if (isShown) bar.update(Math.min(done, expected), { rate });
      else bar.start(expected, done, { rate });
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
    show: ({ done, expected, elapsedMs }) => {
      if (elapsedMs < nextLineMs) return;
      nextLineMs = elapsedMs + lineIntervalMs;
      const [has, of] = [done.toLocaleString('en-US'), expected.toLocaleString('en-US')];
      output.note(`${has} of ${of} ${unit}, ${rateOf(done, elapsedMs)}/s`);
    },
    stop: () => undefined,
  };
}

function rateOf(done: number, elapsedMs: number): string {
  return elapsedMs > 0 ? Math.round((done * 1000) / elapsedMs).toLocaleString('en-US') : '0';
}
