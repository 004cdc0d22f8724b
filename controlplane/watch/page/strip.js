/* global document */
import { setAttribute } from './dom.js';
import { clock, plural } from './format.js';
import { stretches, toneOf } from './series.js';

const namespace = 'http://www.w3.org/2000/svg';

/** A band of the verdicts of one connector over time, with a mark for each restart. */
export function createStrip() {
  const root = document.createElementNS(namespace, 'svg');
  setAttribute(root, 'role', 'img');
  setAttribute(root, 'viewBox', '0 0 1000 8');
  setAttribute(root, 'preserveAspectRatio', 'none');
  let drawn = '';
  return {
    root,
    update: (points, name, restarts, { from, to }) => {
      const x = (ms) => Math.round(Math.min(1, Math.max(0, (ms - from) / (to - from))) * 1000);
      const bands = stretches(points, name).filter((band) => band.to > from);
      const marks = restarts.map(({ at }) => Date.parse(at)).filter((ms) => ms > from);
      const boxes = [
        ...bands.map((band) => ({
          x: x(band.from),
          width: Math.max(2, x(band.to) - x(band.from)),
          y: 2,
          height: 4,
          class: toneOf(band.verdict),
          title: `${band.verdict}, ${clock(band.from)} to ${clock(band.to)}`,
        })),
        ...marks.map((ms) => ({
          x: x(ms) - 1,
          width: 3,
          y: 0,
          height: 8,
          class: 'restart',
          title: `restarted at ${clock(ms)}`,
        })),
      ];
      const key = JSON.stringify(boxes);
      if (key === drawn) return;
      drawn = key;
      root.replaceChildren(...boxes.map(rectangle));
      const troubles = bands.filter(({ verdict }) => !['ok', 'quiet'].includes(toneOf(verdict)));
      const told = troubles.map(({ verdict, from: since }) => `${verdict} at ${clock(since)}`);
      const restarted = marks.length === 0 ? '' : `; ${plural(marks.length, 'restart')}`;
      setAttribute(root, 'aria-label', `Verdicts over time: ${told.join(', ') || 'no trouble'}${restarted}`);
    },
  };
}

function rectangle({ title, ...attributes }) {
  const element = document.createElementNS(namespace, 'rect');
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  const words = document.createElementNS(namespace, 'title');
  words.textContent = title;
  element.append(words);
  return element;
}
