import { instantiate, setAttribute, setText } from './dom.js';
import { clock } from './format.js';
import { gapMs, summary, valueAt } from './series.js';

const width = 300;
const height = 40;
/** Room above the highest value and below zero, so that the line is not cut. */
const margin = 2;

const charts = new Set();
/** The time the reader points at, in all charts at once; null when at none. */
let cursorMs = null;
let range = { from: 0, to: 1 };

/** The window of time that all charts show. */
export function setRange(from, to) {
  range = { from, to };
}

/**
 * One small chart.
 *
 * @param tone names its colour in the style sheet
 * @param format writes one value
 * @param floor of the scale: a chart whose values stay below is nearly flat
 * @param second what the second, thinner line is, in words
 */
export function createChart({ label, tone, format, floor, second = null, says = format }) {
  const { root, parts } = instantiate('chart-template');
  const svg = root.querySelector('svg');
  const [area, secondLine, line, cursor] = svg.children;
  root.classList.add(tone);
  setText(parts.label, label);
  let series = [];

  const showValue = () => {
    const isPast = cursorMs !== null;
    const value = isPast ? valueAt(series, cursorMs) : summary(series, range.from).now;
    setText(parts.value, says(value));
    parts.value.classList.toggle('past', isPast);
    const x = isPast ? x_(cursorMs) : -10;
    setAttribute(cursor, 'd', isPast ? `M${x} 0V${height}` : '');
  };

  const chart = {
    root,
    showValue,
    update: (next, other = []) => {
      series = next;
      const { now, peak } = summary(series, range.from);
      const otherPeak = summary(other, range.from).peak;
      const top = Math.max(peak ?? 0, otherPeak ?? 0, floor);
      const paths = draw(series, top);
      setAttribute(line, 'd', paths.line);
      setAttribute(area, 'd', paths.area);
      setAttribute(secondLine, 'd', draw(other, top).line);
      setText(parts.peak, peak === null ? '' : `peak ${format(peak)}`);
      const minutes = Math.round((range.to - range.from) / 60_000);
      const also = second === null ? '' : `; ${second} ${format(summary(other, range.from).now)}`;
      setAttribute(
        svg,
        'aria-label',
        `${label}, the last ${minutes} minutes: now ${format(now)}, at most ${format(peak)}${also}`,
      );
      showValue();
    },
    remove: () => charts.delete(chart),
  };
  charts.add(chart);
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    pointAt(range.from + ((event.clientX - box.left) / box.width) * (range.to - range.from));
  });
  svg.addEventListener('pointerleave', () => pointAt(null));
  return chart;
}

/** Called with what the reader points at, as text; null when at nothing. */
let onPoint = () => undefined;
export function whenPointed(callback) {
  onPoint = callback;
}

function pointAt(ms) {
  cursorMs = ms;
  for (const chart of charts) chart.showValue();
  onPoint(ms === null ? null : clock(ms));
}

function x_(ms) {
  return round(((ms - range.from) / (range.to - range.from)) * width);
}

/** The values within the window as a line, broken where nothing is known, and the area below it. */
function draw(series, top) {
  const y = (value) => round(height - margin - (value / top) * (height - 2 * margin));
  const runs = [];
  let before = null;
  for (const [at, value] of series) {
    if (value === null) before = null;
    else {
      if (at >= range.from - gapMs) {
        if (before === null || at - before > gapMs) runs.push([]);
        runs.at(-1)?.push([x_(at), y(value)]);
      }
      before = at;
    }
  }
  let line = '';
  let area = '';
  for (const run of runs.filter((points) => points.length > 0)) {
    const [first] = run;
    // One point alone is a dot.
    const path = `M${run.map((point) => point.join(' ')).join('L')}${run.length === 1 ? 'h.1' : ''}`;
    line += path;
    area += `${path}V${height}H${first[0]}Z`;
  }
  return { line, area };
}

function round(value) {
  return Math.round(value * 10) / 10;
}
