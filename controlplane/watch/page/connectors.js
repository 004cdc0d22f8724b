/* global document */
import { createChart } from './chart.js';
import { instantiate, keyed, setData, setHidden, setText } from './dom.js';
import { ago, count, duration, perSecond, plural } from './format.js';
import { rates, smallest, summary, sums, toneOf, troubled } from './series.js';
import { createStrip } from './strip.js';

/** Beyond so many topics in all, the topics of a connector are folded away until somebody asks. */
const openUpTo = 40;

const views = new Map();

/** One card for each connector: what is in trouble first, otherwise in the order of the watcher. */
export function showConnectors(parent, { snapshot, journal }, points, range) {
  const { connectors, decisions, drift } = snapshot;
  const topics = connectors.reduce((sum, { routes }) => sum + routes.length, 0);
  const first = troubled(points, connectors);
  const rank = ({ name }) => (first.has(name) ? 0 : 1);
  keyed(
    parent,
    views,
    [...connectors].sort((a, b) => rank(a) - rank(b)),
    ({ name }) => name,
    () => createConnector(topics <= openUpTo),
  );
  for (const connector of connectors) {
    const own = decisions.filter((decision) => decision.connector === connector.name);
    const restarts = journal.filter((entry) => entry.event === 'restart' && entry.subject === connector.name);
    const change = drift.changes.find(({ name }) => name === connector.name);
    views.get(connector.name).update(connector, { decisions: own, change, restarts, points, range });
  }
}

/** The three charts that fleet, connector and topic alike have. */
export function createTrio(labels = { rate: 'Rate', lag: 'Lag', freshness: 'Last row' }) {
  const rate = createChart({
    label: labels.rate,
    tone: 'rate',
    format: perSecond,
    floor: 1,
    second: 'landed',
  });
  const lag = createChart({ label: labels.lag, tone: 'lag', format: count, floor: 10 });
  const freshness = createChart({
    label: labels.freshness,
    tone: 'freshness',
    format: duration,
    says: ago,
    floor: 10_000,
  });
  return {
    rate,
    lag,
    freshness,
    update: (points, topics) => {
      rate.update(rates(sums(points, topics, 'produced')), rates(sums(points, topics, 'landed')));
      lag.update(sums(points, topics, 'lag'));
      freshness.update(smallest(points, topics, 'freshnessMs'));
    },
    remove: () => [rate, lag, freshness].forEach((chart) => chart.remove()),
  };
}

function createConnector(isOpen) {
  const { root, parts } = instantiate('connector-template');
  const trio = createTrio();
  const strip = createStrip();
  const routes = new Map();
  parts.charts.append(trio.rate.root, trio.lag.root, trio.freshness.root);
  parts.strip.append(strip.root);
  parts.details.open = isOpen;

  const update = (connector, { decisions, change, restarts, points, range }) => {
    const { name, verdict, cause, reason, action } = connector;
    const tone = toneOf(verdict);
    setData(root, 'tone', tone);
    setData(root, 'verdict', verdict);
    setText(parts.name, name);
    setText(parts.verdict, verdict);
    setHidden(parts.cause, cause === null);
    setText(parts.cause, cause ?? '');
    showTasks(parts.tasks, connector);
    const { deadLetters } = connector;
    setText(parts.dead, deadLetters === null ? '' : plural(deadLetters, 'dead letter'));

    const told = tellDecisions(decisions);
    const differs = change === undefined ? '' : tellChange(change);
    setHidden(parts.why, reason === null && action === null && told === '' && differs === '');
    // A difference alone is worth a look, whatever the verdict.
    setData(parts.why, 'tone', tone === 'ok' || tone === 'quiet' ? 'warn' : tone);
    for (const [part, text] of [
      ['reason', reason],
      ['action', action],
      ['decisions', told],
      ['drift', differs],
    ]) {
      setText(parts[part], text ?? '');
      setHidden(parts[part].parentElement, !text);
    }

    const topics = connector.routes.map(({ topic }) => topic);
    trio.update(points, topics);
    strip.update(points, name, restarts, range);
    setText(parts.summary, `${plural(topics.length, 'topic')} into ${plural(tablesOf(connector), 'table')}`);
    // Its only topic would say once more what the connector says.
    setData(root, 'single', topics.length === 1 ? 'yes' : 'no');
    setText(parts.caption, `Topics and tables of ${name}`);
    keyed(
      parts.routes,
      routes,
      connector.routes,
      ({ topic, table }) => `${topic} ${table}`,
      (route) => createRoute(route),
    );
    // What nobody sees is not drawn: with hundreds of connectors that is most of it.
    if (parts.details.open) for (const route of routes.values()) route.update(points, tone);
  };
  return { root, update };
}

function createRoute({ topic, table }) {
  const { root, parts } = instantiate('route-template');
  setText(parts.topic, topic);
  setText(parts.table, table);
  const trio = createTrio({
    rate: `Rate of ${topic}`,
    lag: `Lag of ${topic}`,
    freshness: `Last row of ${table}`,
  });
  for (const part of ['rate', 'lag', 'freshness']) parts[part].append(trio[part].root);
  return {
    root,
    update: (points, tone) => {
      trio.update(points, [topic]);
      const { now } = summary(rates(sums(points, [topic], 'produced')), 0);
      setData(root, 'flows', now !== null && now > 0 ? 'yes' : 'no');
      setData(root, 'tone', tone);
    },
  };
}

/** A square for each task, and the words for those who do not see it. */
function showTasks(parent, { state, tasks }) {
  const running = tasks.filter((task) => task.state === 'RUNNING').length;
  const text =
    tasks.length === 0
      ? state.toLowerCase()
      : `${running === tasks.length ? running : `${running} of ${tasks.length}`} ${tasks.length === 1 ? 'task' : 'tasks'} running`;
  const key = tasks.map((task) => task.state).join() + text;
  if (parent.dataset.key === key) return;
  parent.dataset.key = key;
  const squares = tasks.map((task) => {
    const square = document.createElement('i');
    square.dataset.state = task.state;
    square.title = `task ${task.id}: ${task.state}`;
    return square;
  });
  const words = document.createElement('span');
  words.textContent = text;
  parent.replaceChildren(...squares, words);
}

const doing = { restart: 'restarts', hold: 'holds', wait: 'waits with' };

/** As in "holds task 0, task 1: why": what is decided for several tasks is said once. */
function tellDecisions(decisions) {
  const units = new Map();
  for (const { action, task, reason } of decisions) {
    const key = JSON.stringify([doing[action], reason ?? '']);
    units.set(key, [...(units.get(key) ?? []), task === null ? 'the connector' : `task ${task}`]);
  }
  return [...units]
    .map(([key, names]) => {
      const [verb, reason] = JSON.parse(key);
      return `${verb} ${names.join(', ')}${reason === '' ? '' : `: ${reason}`}`;
    })
    .join('; ');
}

function tellChange({ operation, keys }) {
  const what = keys.length > 0 ? `${operation} ${keys.join(', ')}` : operation;
  return `from its declaration: connectors:apply would ${what}`;
}

function tablesOf({ routes }) {
  return new Set(routes.map(({ table }) => table)).size;
}
