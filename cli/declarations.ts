import type { Action } from '../controlplane/operate.ts';
import type { Run } from './command.ts';
import { findingOptions } from './findings/finding-options.ts';
import { reconcileOptions } from './reconcile-options.ts';

/** A command as `npm run <name>` shows it; its code is loaded only when it runs. */
export interface Declaration {
  /** Name and arguments in cac's notation. */
  usage: string;
  summary: string;
  options?: readonly (readonly [flags: string, description: string])[];
  load: () => Promise<{ run: Run }>;
}

const rewriteSecrets = [
  '--rewrite-secrets',
  'Write secrets again that the server does not give back (Confluent Cloud), changed or not',
] as const;
const prune = ['--prune', "Also delete what carries this project's mark and is no longer declared"] as const;

const yes = ['--yes', 'Do not ask first'] as const;

/** One of the commands that do one thing to named connectors. */
function byHand(action: Action, summary: string, options: Declaration['options'] = []): Declaration {
  const load = async () => ({ run: (await import('./commands/connectors-operate.ts')).runAction(action) });
  return { usage: `connectors:${action} <...names>`, summary, options, load };
}

export const declarations: readonly Declaration[] = [
  {
    usage: 'demo',
    summary: 'The main job: stack, history, live stream, proof and answers',
    options: [
      ['--dashboards', 'Also start Superset with the dashboards, and say where they are'],
      ['--down', 'Stop the stack afterwards'],
    ],
    load: () => import('./commands/demo.ts'),
  },
  {
    usage: 'doctor',
    summary: 'Check what this machine needs, each problem with its cure',
    load: () => import('./commands/doctor.ts'),
  },
  {
    usage: 'up',
    summary: 'Start the embedded stack; returns when all of it is ready',
    load: () => import('./commands/up.ts'),
  },
  {
    usage: 'down',
    summary: 'Stop the embedded stack; data is kept',
    options: [['--purge', 'Remove the data as well']],
    load: () => import('./commands/down.ts'),
  },
  {
    usage: 'status',
    summary: 'Show the embedded services and the sink in use',
    load: () => import('./commands/status.ts'),
  },
  {
    usage: 'logs <service>',
    summary: "Print a service's log",
    options: [
      ['--lines <n>', 'How many lines from the end (default 100)'],
      ['--follow', 'Keep printing as the log grows'],
    ],
    load: () => import('./commands/logs.ts'),
  },
  {
    usage: 'schemas:register',
    summary: 'Register every schema of the catalog',
    load: () => import('./commands/schemas-register.ts'),
  },
  {
    usage: 'schemas:check',
    summary: 'Check what the changed schemas break; exit 2 if anything that must not',
    options: [
      ['--base <ref>', 'Compare with this git ref, without any service (default: with the registry)'],
      ...findingOptions,
    ],
    load: () => import('./commands/schemas-check.ts'),
  },
  {
    usage: 'topics:apply',
    summary: 'Create missing topics, add partitions, correct settings; never deletes',
    load: () => import('./commands/topics-apply.ts'),
  },
  {
    usage: 'clickhouse:migrate',
    summary: 'Apply the migrations that are not applied yet',
    load: () => import('./commands/clickhouse-migrate.ts'),
  },
  {
    usage: 'clickhouse:status',
    summary: 'Show which migrations are applied',
    load: () => import('./commands/clickhouse-status.ts'),
  },
  {
    usage: 'clickhouse:access',
    summary: 'Give the readers of a server their roles: columns for finance, rows for support',
    load: () => import('./commands/clickhouse-access.ts'),
  },
  {
    usage: 'clickhouse:scaffold [...topics]',
    summary: 'Write the migrations that new schemas and new fields need',
    options: [['--check', 'Write nothing; exit 2 if a migration is missing']],
    load: () => import('./commands/clickhouse-scaffold.ts'),
  },
  {
    usage: 'contracts:check',
    summary: 'Check each field from schema through connector into column and dbt; exit 2 if one is lost',
    options: [['--live', 'Also compare the files with registry, worker and ClickHouse'], ...findingOptions],
    load: () => import('./commands/contracts-check.ts'),
  },
  {
    usage: 'connectors:plan',
    summary: 'Show what apply would change, key by key; exit 2 if anything',
    options: [['--out <file>', 'Save the plan, to be applied exactly'], prune, rewriteSecrets],
    load: () => import('./commands/connectors-plan.ts'),
  },
  {
    usage: 'connectors:apply',
    summary: 'Make the declared connectors so',
    options: [['--plan <file>', 'Apply this saved plan and nothing else'], prune, rewriteSecrets],
    load: () => import('./commands/connectors-apply.ts'),
  },
  {
    usage: 'connectors:status',
    summary: 'State, verdict and lag of each connector; exit 2 if unhealthy',
    load: () => import('./commands/connectors-status.ts'),
  },
  {
    usage: 'connectors:watch',
    summary: 'The supervisor: restarts what failed, alerts, serves a status page and /metrics',
    options: [
      ['--once', 'Look once, act, and exit: 0 if all is well, otherwise 2'],
      ['--reconcile', 'Restore what differs from the declarations; otherwise it is only reported'],
    ],
    load: () => import('./commands/connectors-watch.ts'),
  },
  byHand('restart', 'Restart what has failed of connectors, and wait until it runs', [
    ['--all-tasks', 'Also restart what runs'],
  ]),
  byHand('pause', 'Pause connectors; their tasks stay assigned'),
  byHand('resume', 'Let paused or stopped connectors run again'),
  byHand('stop', 'Stop connectors: no tasks, and offsets may be reset'),
  byHand('delete', 'Delete connectors; asks first', [yes]),
  {
    usage: 'connectors:offsets <name>',
    summary: 'Where a connector reads next, per partition; resets it while it is stopped',
    options: [['--reset <point>', 'Move it to earliest or latest; asks first'], yes],
    load: () => import('./commands/connectors-offsets.ts'),
  },
  {
    usage: 'produce',
    summary: 'Produce a live stream: once, on a schedule or on request',
    options: [
      ['--rate <n>', 'Events per second (default 100)'],
      ['--duration <s>', 'Seconds, of each batch (default 60)'],
      ['--seed <n>', 'Seed of the scenario (default 1)'],
      ['--only <topics>', 'Only these, as in payments,refunds, and what they refer to (default all)'],
      ['--schedule <cron>', 'A batch at each firing, in UTC, as in "*/5 * * * *", until interrupted'],
      [
        '--faults [shares]',
        'Inject faults, as in duplicates=0.02,malformed=0.001; alone: all (default: none)',
      ],
      ['--refresh <cron>', 'Refresh the models at each firing meanwhile, in UTC (default: not)'],
      ['--listen <port>', 'A batch for each POST /batches on this port; needs PRODUCE_TOKEN'],
    ],
    load: () => import('./commands/produce.ts'),
  },
  {
    usage: 'backfill',
    summary: 'Produce the history of new customers; goes on with an interrupted one',
    options: [
      ['--customers <n>', 'How many customers to tell of'],
      ['--years <n>', 'How far back from now (default 5)'],
      ['--seed <n>', 'Seed of the scenario (default 1)'],
      ['--refresh', 'Refresh the models when all of it has landed'],
    ],
    load: () => import('./commands/backfill.ts'),
  },
  {
    usage: 'reconcile [...topics]',
    summary: "Compare the broker's offsets with what landed; exit 2 if anything is missing",
    options: [...reconcileOptions, yes],
    load: () => import('./commands/reconcile.ts'),
  },
  {
    usage: 'dlq <action> [topic]',
    summary: 'Dead letters: list, show, replay or drain',
    options: [
      ['--cause <class>', 'Only those of this cause, as in poison-record'],
      ['--topic <name>', 'Only records of this topic'],
      ['--partition <n>', 'Only records of this partition; for drain, of the dead letter topic'],
      ['--offset <n>', 'Only the record that had this offset'],
      ['--limit <n>', 'How many show prints (default 10)'],
      ['--dry-run', 'Say what replay would send, and send nothing'],
      ['--force', 'Replay also what is known to fail again'],
      ['--before <offset>', 'Drain up to this offset, or to the end: also what nobody has replayed'],
      yes,
    ],
    load: () => import('./commands/dlq.ts'),
  },
  {
    usage: 'dbt [...arguments]',
    summary: 'dbt in an environment of its own, with any of its arguments',
    load: () => import('./commands/dbt.ts'),
  },
  {
    usage: 'dbt:refresh',
    summary: 'Bring the models up to date with what has landed, once or on a schedule',
    options: [
      ['--schedule <cron>', 'Refresh at each firing until Ctrl-C, as in "*/5 * * * *" (UTC)'],
      ['--full', 'Build every model anew instead of adding what is new'],
    ],
    load: () => import('./commands/dbt-refresh.ts'),
  },
  {
    usage: 'dbt:docs',
    summary: 'Serve the documentation of the models on this machine',
    options: [['--port <n>', 'Where (default 8091)']],
    load: () => import('./commands/dbt-docs.ts'),
  },
  {
    usage: 'dashboards:up',
    summary: 'Install and start Superset on this machine; returns when it is ready',
    options: [['--reset-password', 'Give the admin a new password and show it']],
    load: () => import('./commands/dashboards-up.ts'),
  },
  {
    usage: 'dashboards:apply',
    summary: 'Make the declared dashboards so, on the Superset of dashboards:up or of SUPERSET_URL',
    options: [prune],
    load: () => import('./commands/dashboards-apply.ts'),
  },
  {
    usage: 'dashboards:report <name>',
    summary: 'A picture of a dashboard as it looks now, as a file and by mail, once or on a schedule',
    options: [
      ['--out <file>', 'A .png or a .pdf (default: NAME.png)'],
      ['--mail <addresses>', 'Also send it there, over ALERT_SMTP_URL; several with commas between them'],
      ['--schedule <cron>', 'At each firing until Ctrl-C, as in "0 7 * * 1" (UTC)'],
    ],
    load: () => import('./commands/dashboards-report.ts'),
  },
  {
    usage: 'dashboards:remove',
    summary: "Remove the project's dashboards, charts, datasets and roles; asks first",
    options: [yes],
    load: () => import('./commands/dashboards-remove.ts'),
  },
  {
    usage: 'dashboards:down',
    summary: 'Stop Superset; what it keeps stays',
    options: [['--purge', 'Remove its metadata, accounts and secret key as well']],
    load: () => import('./commands/dashboards-down.ts'),
  },
  {
    usage: 'answers [number]',
    summary: 'Answer the questions of the catalog from ClickHouse',
    options: [
      ['--from <date>', 'First day (default: the period of each question)'],
      ['--to <date>', 'Last day (default: that of the newest event)'],
      ['--currency <code>', 'Only this currency, as in EUR'],
      ['--region <name>', 'Only this region: north_america, europe or asia_pacific'],
      ['--csv', 'Print one answer as comma-separated values'],
    ],
    load: () => import('./commands/answers.ts'),
  },
  {
    usage: 'compose:init',
    summary:
      'Write the passwords and the checksum that docker-compose.yml demands into .env; keeps what is there',
    options: [['--file <path>', 'Another file than .env']],
    load: () => import('./commands/compose-init.ts'),
  },
];
