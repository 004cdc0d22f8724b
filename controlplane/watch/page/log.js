import { byId, instantiate, keyed, setData, setHidden, setText } from './dom.js';
import { clock } from './format.js';

const shown = 200;
const views = new Map();

/** The log of actions, newest first. */
export function showLog(journal) {
  const entries = journal.slice(-shown).reverse();
  setHidden(byId('log-empty'), entries.length > 0);
  // Two entries may be of the same millisecond and say the same: the place among them tells them apart.
  const seen = new Map();
  const items = entries
    .slice()
    .reverse()
    .map((entry) => {
      const words = `${entry.at} ${entry.event} ${entry.message}`;
      seen.set(words, (seen.get(words) ?? 0) + 1);
      return { entry, key: `${words} ${seen.get(words)}` };
    })
    .reverse();
  keyed(byId('log'), views, items, ({ key }) => key, createEntry);
}

function createEntry({ entry: { at, level, event, message, reason } }) {
  const { root, parts } = instantiate('entry-template');
  setData(root, 'level', level);
  setData(root, 'event', event);
  setText(parts.time, clock(Date.parse(at)));
  parts.time.dateTime = at;
  parts.time.title = at;
  setText(parts.message, message);
  const isNew = reason !== undefined && reason !== '' && !message.includes(reason);
  setText(parts.reason, isNew ? reason : '');
  setHidden(parts.reason, !isNew);
  return { root };
}
