import { expect, test } from 'vitest';
import {
  decideNotices,
  type Incident,
  type Notice,
  type OpenIncident,
} from '../../../../controlplane/watch/notices.ts';

const limits = { patienceMs: 30_000, quietMs: 60_000 };
const startMs = Date.parse('2026-03-01T12:00:00Z');

function incident(changes: Partial<Incident> = {}): Incident {
  return {
    subject: 'a',
    cause: 'transient',
    reason: 'it broke',
    action: 'mend it',
    needsPerson: false,
    ...changes,
  };
}

/** What is told over a number of looks, one every ten seconds; each look lists the incidents it saw. */
function tell(looks: readonly (readonly Incident[])[]): {
  told: [second: number, notice: Notice][];
  open: object;
} {
  let open: Record<string, OpenIncident> = {};
  const told: [number, Notice][] = [];
  for (const [index, incidents] of looks.entries()) {
    const decided = decideNotices(
      open,
      incidents,
      { at: index * 10_000, wallMs: startMs + index * 10_000 },
      limits,
    );
    open = decided.open;
    told.push(...decided.notices.map((notice): [number, Notice] => [index * 10, notice]));
  }
  return { told, open };
}

const seconds = ({ told }: ReturnType<typeof tell>) =>
  told.map(([second, { status }]) => `${String(second)} ${status}`);
const times = (count: number, ...incidents: Incident[]) => Array.from({ length: count }, () => incidents);

test('what needs a person is told at once and only once', () => {
  expect(seconds(tell(times(50, incident({ needsPerson: true }))))).toEqual(['0 firing']);
});

test('what may go away by itself is told after the patience is over', () => {
  expect(seconds(tell(times(50, incident())))).toEqual(['30 firing']);
});

test('what went away before is told to nobody', () => {
  expect(seconds(tell([...times(2, incident()), ...times(20)]))).toEqual([]);
});

test('an incident that becomes a hold is told at that moment', () => {
  expect(seconds(tell([...times(2, incident()), ...times(3, incident({ needsPerson: true }))]))).toEqual([
    '20 firing',
  ]);
});

test('its end is told once it has been quiet, with the time of its last sighting', () => {
  const { told, open } = tell([...times(4, incident()), ...times(20)]);
  expect(told.map(([second]) => second)).toEqual([30, 90]);
  expect(told[1]?.[1]).toEqual({
    status: 'resolved',
    subject: 'a',
    cause: 'transient',
    reason: 'it broke',
    action: 'mend it',
    startedAt: '2026-03-01T12:00:00.000Z',
    endedAt: '2026-03-01T12:00:30.000Z',
  });
  expect(open).toEqual({});
});

test('one that comes and goes is one incident', () => {
  const flapping = Array.from({ length: 60 }, (_, index) => (index % 4 === 0 ? [incident()] : []));
  expect(seconds(tell([...flapping, ...times(20)]))).toEqual(['40 firing', '620 resolved']);
});

test('incidents are told by subject and cause', () => {
  const both = [incident({ needsPerson: true }), incident({ needsPerson: true, cause: 'capacity' })];
  const other = incident({ needsPerson: true, subject: 'b' });
  const { told } = tell(times(3, ...both, other));
  expect(told.map(([, { subject, cause }]) => `${subject} ${cause}`)).toEqual([
    'a transient',
    'a capacity',
    'b transient',
  ]);
});

test('what cannot be seen goes on: it is neither over nor told again', () => {
  let open: Record<string, OpenIncident> = {};
  const told: string[] = [];
  for (let second = 0; second < 600; second += 10) {
    const isSeen = second < 60 || second >= 300;
    const incidents = isSeen && second < 400 ? [incident({ needsPerson: true })] : [];
    const input = { at: second * 1000, wallMs: startMs + second * 1000, isHidden: () => !isSeen };
    const decided = decideNotices(open, incidents, input, limits);
    open = decided.open;
    told.push(...decided.notices.map(({ status }) => `${String(second)} ${status}`));
  }
  expect(told).toEqual(['0 firing', '450 resolved']);
});
