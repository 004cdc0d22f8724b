/* global document */
import { createTrio } from './connectors.js';
import { byId, keyed, setAttribute, setData, setText } from './dom.js';
import { ago, count, plural } from './format.js';
import { toneOf } from './series.js';

const trio = { charts: null };
const servers = new Map();

/** What is true of all connectors together. */
export function showFleet({ snapshot, journal, atMs }, points) {
  if (trio.charts === null) {
    trio.charts = createTrio({
      rate: 'Into Kafka',
      lag: 'Waiting',
      freshness: 'Last row',
    });
    for (const part of ['rate', 'lag', 'freshness']) byId(`tile-${part}`).append(trio.charts[part].root);
  }
  const topics = [...new Set(snapshot.connectors.flatMap(({ routes }) => routes.map(({ topic }) => topic)))];
  trio.charts.update(points, topics);
  showServers(snapshot.servers);

  const { used, perMinute } = snapshot.budget;
  const meter = byId('budget');
  meter.max = perMinute;
  meter.high = perMinute * 0.7;
  meter.value = used;
  const lastHour = journal.filter(
    ({ event, at }) => event === 'restart' && Date.parse(at) > atMs - 3_600_000,
  );
  setText(byId('budget-text'), `${used} of ${perMinute} this minute, ${lastHour.length} this hour`);

  const dead = snapshot.connectors.map(({ deadLetters }) => deadLetters).filter((number) => number !== null);
  const most = [...snapshot.connectors].sort((a, b) => (b.deadLetters ?? 0) - (a.deadLetters ?? 0))[0];
  const sum = dead.reduce((total, number) => total + number, 0);
  const where = sum > 0 && dead.length > 1 ? `, most of ${most.name}` : '';
  setText(byId('dead-letters'), dead.length === 0 ? '–' : `${count(sum)}${where}`);
  showAccounts(snapshot.accounts, atMs);
  showDrift(snapshot.drift);
}

function showServers({ kafka, connect, clickhouse }) {
  const states = [
    ['Kafka', kafka.isUp, kafka.isUp ? 'answers' : kafka.reason],
    ['Connect', connect.isUp, connect.isUp ? 'answers' : connect.reason],
    ['ClickHouse', clickhouse.state === 'ready', clickhouse.reason ?? clickhouse.state],
  ].map(([name, isUp, says]) => ({ name, isUp, says }));
  keyed(
    byId('servers'),
    servers,
    states,
    ({ name }) => name,
    ({ name }) => {
      const root = document.createElement('li');
      const words = document.createElement('span');
      root.append(document.createElement('i'), document.createTextNode(name), words);
      words.className = 'hidden';
      return { root, words };
    },
  );
  for (const { name, isUp, says } of states) {
    const { root, words } = servers.get(name);
    setData(root, 'tone', isUp ? 'ok' : 'bad');
    setAttribute(root, 'title', `${name}: ${says}`);
    setText(words, isUp ? ' is up' : ' is not usable');
  }
}

/** Whether every record landed or is a dead letter, and if not, what is missing where. */
function showAccounts(accounts, atMs) {
  const element = byId('accounts');
  const { at, error, topics } = accounts ?? { at: null, error: null, topics: [] };
  const sum = (field) => topics.reduce((total, topic) => total + topic[field], 0);
  const [missing, pending] = [sum('missing'), sum('pending')];
  const tone = missing > 0 ? 'bad' : error === null ? 'ok' : 'warn';
  setData(element, 'tone', tone);
  if (at === null) {
    setText(element, error === null ? 'not reconciled yet' : `cannot be reconciled: ${error}`);
    return;
  }
  const lacking = topics.filter((topic) => topic.missing > 0);
  const where = lacking.length === 1 ? ` of ${lacking[0].topic}` : ` of ${plural(lacking.length, 'topic')}`;
  const told = [
    missing > 0 ? `${count(missing)} missing${where}` : `${count(sum('produced') - pending)} accounted for`,
    ...(pending > 0 ? [`${count(pending)} on their way`] : []),
    ...(error === null ? [] : [`as of ${ago(atMs - Date.parse(at))}: ${error}`]),
  ];
  setText(element, told.join(', '));
}

/** Each connector says by itself how it differs. */
function showDrift({ checkedAt, changes, error }) {
  const element = byId('drift');
  const isSame = error === null && changes.length === 0;
  setData(element, 'tone', isSame ? 'ok' : 'warn');
  const differ = `${plural(changes.length, 'connector')} ${changes.length === 1 ? 'differs' : 'differ'}`;
  const missing = checkedAt === null ? 'not compared yet' : 'what runs is what is declared';
  setText(element, error !== null ? `cannot be compared: ${error}` : isSame ? missing : differ);
}

/** What to say first: the tone of the whole, one sentence, and one more. */
export function headlineOf({
  connectors,
  connectorsSeenAt,
  servers: { kafka, connect, clickhouse },
  accounts,
  target,
}) {
  const size = plural(connectors.length, 'connector');
  const topics = new Set(connectors.flatMap(({ routes }) => routes.map(({ topic }) => topic))).size;
  const subline = `${target} · ${plural(topics, 'topic')} · ${size}`;
  const away = [
    [connect.isUp, `Kafka Connect does not answer`, connect.reason],
    [kafka.isUp, 'Kafka does not answer', kafka.reason],
    [clickhouse.state === 'ready', 'ClickHouse takes no rows', clickhouse.reason],
  ].find(([isUp]) => !isUp);
  if (away !== undefined) return { tone: 'bad', headline: away[1], subline: `${target} · ${away[2] ?? ''}` };
  if (connectors.length === 0) {
    const headline = connectorsSeenAt === null ? 'Nothing has been seen yet' : 'No connector is declared';
    return { tone: 'quiet', headline, subline: `${target} · declarations are in connectors/` };
  }
  const sick = connectors.filter(({ verdict }) => ['warn', 'bad'].includes(toneOf(verdict)));
  if (sick.length > 0) {
    const tone = sick.some(({ verdict }) => toneOf(verdict) === 'bad') ? 'bad' : 'warn';
    const names = sick.slice(0, 3).map(({ name, verdict }) => `${name} is ${verdict}`);
    const more = sick.length > 3 ? `, and ${sick.length - 3} more` : '';
    const headline = `${sick.length} of ${size} ${sick.length === 1 ? 'needs' : 'need'} attention`;
    return { tone, headline, subline: `${target} · ${names.join(', ')}${more}` };
  }
  const lost = (accounts?.topics ?? []).filter(({ missing }) => missing > 0);
  if (lost.length > 0) {
    const missing = lost.reduce((sum, topic) => sum + topic.missing, 0);
    const names = lost.slice(0, 3).map(({ topic }) => topic);
    const more = lost.length > 3 ? `, and ${lost.length - 3} more` : '';
    const headline = `${plural(missing, 'record')} ${missing === 1 ? 'is' : 'are'} missing in ClickHouse`;
    return {
      tone: 'bad',
      headline,
      subline: `${target} · of ${names.join(', ')}${more} · npm run reconcile`,
    };
  }
  const quiet = connectors.filter(({ verdict }) => verdict !== 'healthy');
  if (quiet.length > 0) {
    const names = quiet.slice(0, 3).map(({ name, verdict }) => `${name} is ${verdict}`);
    return { tone: 'quiet', headline: 'Nothing is wrong', subline: `${target} · ${names.join(', ')}` };
  }
  return {
    tone: 'ok',
    headline: connectors.length === 1 ? 'The connector is healthy' : `All ${size} are healthy`,
    subline,
  };
}
