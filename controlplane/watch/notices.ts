import type { CauseClass } from '../trace-causes.ts';

/** Something that is wrong at this moment, with a connector or with a server all of them need. */
export interface Incident {
  /** A connector's name, or `Kafka Connect`, `Kafka`, `ClickHouse`. */
  subject: string;
  cause: CauseClass;
  reason: string;
  action: string;
  /** True where nobody but a person will do anything: it is told at once. */
  needsPerson: boolean;
}

/** What is told to people. */
export interface Notice {
  status: 'firing' | 'resolved';
  subject: string;
  cause: CauseClass;
  reason: string;
  action: string;
  /** Times of day, ISO 8601 in UTC. */
  startedAt: string;
  /** Null while it is firing. */
  endedAt: string | null;
}

/** An incident from its first sighting until it has been gone for a while; plain JSON. */
export interface OpenIncident extends Omit<Incident, 'needsPerson'> {
  /** Of the steady clock. */
  openedAt: number;
  seenAt: number;
  /** Times of day, milliseconds. */
  startedMs: number;
  lastSeenMs: number;
  isTold: boolean;
}

export interface NoticeInput {
  /** Of the steady clock. */
  at: number;
  /** Only shown. */
  wallMs: number;
  /** Whether nobody could see this time if such an incident goes on: then it does. */
  isHidden?: (incident: Pick<Incident, 'subject' | 'cause'>) => boolean;
}

export interface NoticeLimits {
  /** What may still go away by itself is told after this. */
  patienceMs: number;
  /** An incident ends when it has not been seen for so long: one that comes and goes is one incident. */
  quietMs: number;
}

export const defaultNoticeLimits: NoticeLimits = { patienceMs: 30_000, quietMs: 60_000 };

/** Decides what is told: each incident once when it starts, by subject and cause, and once when it is over. Pure. */
export function decideNotices(
  open: Readonly<Record<string, OpenIncident>>,
  incidents: readonly Incident[],
  { at, wallMs, isHidden = () => false }: NoticeInput,
  { patienceMs, quietMs }: NoticeLimits = defaultNoticeLimits,
): { open: Record<string, OpenIncident>; notices: Notice[] } {
  const next: Record<string, OpenIncident> = {};
  const notices: Notice[] = [];
  for (const { needsPerson, ...incident } of incidents) {
    const key = incidentKey(incident);
    const before = open[key] ?? { openedAt: at, startedMs: wallMs, isTold: false };
    const isTold = before.isTold || needsPerson || at - before.openedAt >= patienceMs;
    const now = { ...before, ...incident, seenAt: at, lastSeenMs: wallMs, isTold };
    next[key] = now;
    if (isTold && !before.isTold) notices.push(noticeOf(now, 'firing'));
  }
  for (const [key, incident] of Object.entries(open)) {
    if (key in next) continue;
    if (isHidden(incident)) next[key] = { ...incident, seenAt: at };
    else if (at - incident.seenAt < quietMs) next[key] = incident;
    else if (incident.isTold) notices.push(noticeOf(incident, 'resolved'));
  }
  return { open: next, notices };
}

function incidentKey({ subject, cause }: Pick<Incident, 'subject' | 'cause'>): string {
  return `${subject}: ${cause}`;
}

function noticeOf(incident: OpenIncident, status: Notice['status']): Notice {
  const { subject, cause, reason, action, startedMs, lastSeenMs } = incident;
  return {
    status,
    subject,
    cause,
    reason,
    action,
    startedAt: new Date(startedMs).toISOString(),
    endedAt: status === 'resolved' ? new Date(lastSeenMs).toISOString() : null,
  };
}
