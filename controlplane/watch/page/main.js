/* global document, sessionStorage, fetch, AbortSignal, setTimeout, setInterval */
/** Asks the watcher again and again and shows what it answers. What is not answered stays as it was, and is dated. */
import { setRange, whenPointed } from './chart.js';
import { showConnectors } from './connectors.js';
import { byId, setData, setHidden, setText } from './dom.js';
import { headlineOf, showFleet } from './fleet.js';
import { clock, duration } from './format.js';
import { showLog } from './log.js';
import { merge, pointsOf, sinceOf } from './series.js';

const tokenKey = 'watch-token';
const answerTimeoutMs = 10_000;
/** Between two questions; the watcher itself may look less often. */
const pause = { min: 1000, max: 5000, afterFailure: 2000 };

let token = sessionStorage.getItem(tokenKey);
/** Everything known so far; undefined before the first answer. */
let known;
/** When the latest answer came, and how old its snapshot was then: by the watcher's clock, not the reader's. */
let answered = { atMs: 0, ageMs: 0 };
/** Why there is no answer; null while there is. */
let failure = null;
let lostAt = null;
/** What the reader chose; until then the charts go back as far as anything is known. */
let chosenMinutes = null;
let pointedAt = null;

async function ask() {
  const response = await fetch(`/snapshot.json?since=${sinceOf(known)}`, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    cache: 'no-store',
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  if (response.status === 401) return { wantsToken: true };
  if (response.status === 503) return { isStarting: true };
  if (!response.ok) throw new Error(`the watcher answered ${response.status}`);
  return { snapshot: await response.json(), now: Date.parse(response.headers.get('date') ?? '') };
}

async function poll() {
  try {
    const since = sinceOf(known);
    const { snapshot, now, wantsToken, isStarting } = await ask();
    if (wantsToken) {
      showLogin();
      return;
    }
    setHidden(byId('login'), true);
    if (isStarting) failure = 'starting';
    else {
      known = merge(known, snapshot, since);
      answered = { atMs: Date.now(), ageMs: Math.max(0, (now || Date.now()) - known.atMs) };
      failure = null;
      lostAt = null;
    }
  } catch {
    failure = 'away';
    lostAt ??= Date.now();
  }
  show();
  const wanted = known?.snapshot.intervalMs ?? pause.min;
  const ms = failure === null ? Math.min(pause.max, Math.max(pause.min, wanted)) : pause.afterFailure;
  setTimeout(next, ms);
}

/** A page that nobody looks at asks nothing until somebody does. */
function next() {
  if (!document.hidden) void poll();
  else document.addEventListener('visibilitychange', next, { once: true });
}

function show() {
  showState();
  if (known === undefined) return;
  setHidden(byId('page'), false);
  const to = known.atMs;
  const windowMinutes = chosenMinutes ?? fittingMinutes(to - (known.points[0]?.atMs ?? to));
  byId('windows').querySelector(`[value="${windowMinutes}"]`).checked = true;
  const range = { from: to - windowMinutes * 60_000, to };
  setRange(range.from, range.to);
  const points = pointsOf(known);
  const { snapshot } = known;
  showFleet(known, points);
  showConnectors(byId('connector-list'), known, points, range);
  showLog(known.journal);
  const isEmpty = snapshot.connectors.length === 0;
  setHidden(byId('connectors-empty'), !isEmpty);
  const nobody =
    snapshot.connectorsSeenAt === null
      ? 'Kafka Connect has not answered since the watcher started.'
      : 'No connector is declared.';
  setText(byId('connectors-empty'), nobody);
  const isBehind = !snapshot.servers.connect.isUp && snapshot.connectorsSeenAt !== null;
  const note = isBehind ? `as of ${clock(Date.parse(snapshot.connectorsSeenAt))}` : '';
  setText(byId('connectors-note'), note);
  setText(byId('footer'), `Target ${snapshot.target}, looked at every ${duration(snapshot.intervalMs)}.`);
  setHidden(byId('footer').nextElementSibling, token !== null);
}

/** The smallest window that holds so much. */
function fittingMinutes(ms) {
  return [5, 15].find((minutes) => ms <= minutes * 60_000) ?? 60;
}

/** Whether what is shown is of now, in words; every second anew. */
function showState() {
  const ageMs = answered.ageMs + (Date.now() - answered.atMs);
  const isStale = known !== undefined && ageMs > Math.max(15_000, 4 * known.snapshot.intervalMs);
  const state = failure ?? (isStale ? 'stale' : known === undefined ? 'connecting' : 'live');
  setData(document.body, 'state', state);
  const asOf = known === undefined ? '' : `as of ${clock(known.atMs)}`;
  const texts = {
    connecting: 'connecting',
    live: `live, looked ${duration(Math.round(ageMs / 1000) * 1000)} ago`,
    stale: asOf,
    starting: known === undefined ? 'starting' : asOf,
    away: known === undefined ? 'no answer' : asOf,
  };
  setText(byId('live-text'), pointedAt === null ? texts[state] : `at ${pointedAt}`);

  const lost = lostAt === null ? '' : ` since ${clock(lostAt)}`;
  const rest = known === undefined ? '' : ` What you see is ${asOf}.`;
  const warnings = {
    away: `The watcher has not answered${lost}.${rest} This page asks again every two seconds.`,
    starting: `The watcher has started and has not finished its first look.${rest}`,
    stale: `The watcher answers, but its last look was finished ${duration(ageMs)} ago.${rest}`,
  };
  // The age grows every second; a screen reader shall not be told each time.
  if (document.body.dataset.warned !== state || state !== 'stale')
    setText(byId('warning'), warnings[state] ?? '');
  setData(document.body, 'warned', state);
  setHidden(byId('warning'), warnings[state] === undefined);

  const told =
    known === undefined
      ? {
          tone: 'quiet',
          headline: 'Billing pipeline',
          subline: state === 'away' ? 'The watcher does not answer' : 'Asking the watcher …',
        }
      : headlineOf(known.snapshot);
  const isNow = state === 'live';
  setData(byId('lamp'), 'tone', isNow ? told.tone : 'quiet');
  setText(byId('headline'), isNow || known === undefined ? told.headline : `${told.headline}, ${asOf}`);
  setText(byId('subline'), told.subline);
  const mark = { ok: '✓', quiet: '·', warn: '!', bad: '✕' }[isNow ? told.tone : 'quiet'];
  const title = `${mark} ${told.headline}`;
  if (document.title !== title) document.title = title;
}

function showLogin() {
  setHidden(byId('login'), false);
  setHidden(byId('page'), true);
  setText(byId('login-error'), token === null ? '' : 'The watcher does not know this token.');
  setText(byId('subline'), 'It answers those who know its token.');
  setText(byId('live-text'), 'waiting for the token');
  sessionStorage.removeItem(tokenKey);
  token = null;
  byId('token').focus();
}

byId('login').addEventListener('submit', (event) => {
  event.preventDefault();
  token = byId('token').value.trim();
  byId('token').value = '';
  sessionStorage.setItem(tokenKey, token);
  void poll();
});
byId('windows').addEventListener('change', (event) => {
  chosenMinutes = Number(event.target.value);
  show();
});
document.addEventListener('toggle', () => show(), true);
whenPointed((at) => {
  pointedAt = at;
  showState();
});
setInterval(() => {
  if (byId('login').hidden) showState();
}, 1000);
void poll();
