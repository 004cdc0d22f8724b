/** What `reconcile` takes; in a file of its own, because reading it must load nothing else. */
export const reconcileOptions = [
  ['--since <time>', 'Only records since then, as in 24h or 2026-03-01T12:30:00Z (default: all)'],
  ['--quick', 'Do not compare the tables with the ledger'],
  ['--late-after <duration>', 'What counts as late, from the event to its record (default 1h)'],
  ['--watch [seconds]', 'Look again and again, print what changes (default 5; implies --quick)'],
  ['--until-clean', 'With --watch: end as soon as nothing is missing'],
  ['--repair', 'Write what is missing from its topic; asks first'],
  ['--dead-letters', 'With --repair: also what can be written of the dead letters'],
  ['--dry-run', 'With --repair: say what would be written, and write nothing'],
] as const;
