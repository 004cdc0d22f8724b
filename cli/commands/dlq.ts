import type { Admin } from 'kafkajs';
import { openAccount } from '../../controlplane/dlq/account.ts';
import { executeDrain, planDrain } from '../../controlplane/dlq/drain.ts';
import { matches, readLetters, type LetterFilter } from '../../controlplane/dlq/letters.ts';
import { replayLetters } from '../../controlplane/dlq/replay.ts';
import { describeLetters } from '../../controlplane/dlq/show.ts';
import { summarize } from '../../controlplane/dlq/summary.ts';
import { createMask, secretsWithin } from '../../controlplane/secrets.ts';
import { readTopicOffsets, type TopicOffsets } from '../../controlplane/topic-offsets.ts';
import { causeClasses } from '../../controlplane/trace-causes.ts';
import { InvalidInputError, PipelineError, type Problem } from '../../core/errors.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import { withKafkaAdmin } from '../../targets/kafka.ts';
import type { CommandContext, ExitCode, Options, Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { renderDrain, renderLetter, renderReplay, renderSummaries } from '../render-dlq.ts';

/** What every action works with. */
interface Work {
  context: CommandContext;
  options: Options;
  admin: Admin;
  target: ReturnType<CommandContext['target']>;
  /** The topics that were asked for. */
  topics: readonly TopicOffsets[];
  filter: LetterFilter;
}

const actions = { list, show, replay, drain } as const;
const defaultLimit = 10;
const readTimeoutMs = 120_000;

export const run: Run = async (context, options, [action = '', name]) => {
  const act = Object.hasOwn(actions, action) ? actions[action as keyof typeof actions] : undefined;
  if (act === undefined) {
    throw new PipelineError('USAGE', {
      what: `dlq does ${Object.keys(actions).join(', ')}, not "${action}"`,
      todo: 'As in: npm run dlq -- show billing.core.dlq',
    });
  }
  const filter = readFilter(options);
  const names = chooseNames(
    loadCatalog().deadLetterTopics.map(({ topic }) => topic),
    name,
    action,
  );
  const target = context.target();
  return withKafkaAdmin(target, { clientId: 'billing-dlq' }, async (admin) => {
    const offsets = await readTopicOffsets(admin, names);
    const topics = names.flatMap((one) => offsets.get(one) ?? []);
    if (name !== undefined && topics.length === 0) {
      throw new PipelineError('TOPIC_NOT_FOUND', {
        what: `The broker has no topic ${name}`,
        where: target.kafka.brokers.join(', '),
        todo: 'Run "npm run topics:apply".',
      });
    }
    return act({ context, options, admin, target, topics, filter });
  });
};

async function list({ context, admin, target, topics }: Work): Promise<ExitCode> {
  const { output, signal } = context;
  const letters = await readLetters(target, topics, { timeoutMs: readTimeoutMs, signal });
  const account = await openAccount(target, admin, signal).read();
  const summaries = topics.map((topic) => summarize(topic, letters, account));
  output.print(renderSummaries(summaries, Date.now()));
  output.document(summaries);
  return 0;
}

async function show({ context, options, admin, target, topics, filter }: Work): Promise<ExitCode> {
  const { output, signal } = context;
  const limit = readNumber(options, 'limit') ?? defaultLimit;
  const all = await readLetters(target, topics, { timeoutMs: readTimeoutMs, signal });
  const selected = all.filter((letter) => matches(letter, filter));
  const account = await openAccount(target, admin, signal).read();
  const shown = selected.slice(0, limit);
  const { letters, registryUnknown } = await describeLetters(shown, account, {
    registry: target.schemaRegistry,
    mask: createMask(secretsWithin(target)),
    signal,
  });
  if (registryUnknown !== null) output.note(`Values are shown as bytes: ${registryUnknown}`);
  const more = selected.length - shown.length;
  output.print(letters.length === 0 ? 'No dead letters.' : letters.map(renderLetter).join('\n\n'));
  if (more > 0) output.note(`\n${more.toLocaleString('en-US')} more; --limit shows them`);
  output.document(letters);
  return 0;
}

async function replay({ context, options, admin, target, topics, filter }: Work): Promise<ExitCode> {
  const { output, signal } = context;
  const [letters] = topics;
  if (letters === undefined) return 0;
  const report = await replayLetters({
    target,
    admin,
    letters,
    filter,
    dryRun: options['dryRun'] === true,
    force: options['force'] === true,
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  output.print(renderReplay(report));
  output.document(report);
  return report.wouldReplay.length > 0 || report.skipped.some(({ isWaiting }) => isWaiting) ? 2 : 0;
}

async function drain({ context, options, admin, target, topics }: Work): Promise<ExitCode> {
  const { output, signal } = context;
  const [letters] = topics;
  if (letters === undefined) return 0;
  const given = options['before'];
  const before = given === 'end' ? given : readNumber(options, 'before');
  const partition = readNumber(options, 'partition');
  const draining = { target, admin, letters, signal };
  const plans = await planDrain({
    ...draining,
    ...(before === undefined ? {} : { before }),
    ...(partition === undefined ? {} : { partition }),
  });
  if (plans.length > 0) {
    output.note(renderDrain(plans));
    const count = plans.reduce((sum, plan) => sum + plan.letters.length, 0);
    await confirm(`Remove ${count.toLocaleString('en-US')} dead letters for good?`, context, options);
    await executeDrain(draining, plans);
  }
  const removed = plans.map((plan) => ({ ...plan, letters: plan.letters.length }));
  output.print(
    plans.length > 0
      ? 'Removed. Reconcile still counts them.'
      : 'Nothing to remove: nobody has replayed the first letter (--before end removes them all the same).',
  );
  output.document(removed);
  return 0;
}

/** Everything but `list` needs a name: what is replayed or removed by mistake stays so. */
function chooseNames(known: readonly string[], name: string | undefined, action: string): readonly string[] {
  if (name === undefined && action === 'list') return known;
  if (name !== undefined && known.includes(name)) return [name];
  throw new PipelineError('UNKNOWN_DLQ', {
    what:
      name === undefined
        ? `${action} needs the name of a dead letter topic`
        : `There is no dead letter topic "${name}"`,
    todo: `There are ${known.join(', ')}.`,
  });
}

function readFilter(options: Options): LetterFilter {
  const { cause, topic } = options as { cause?: string; topic?: string };
  const known = causeClasses.find((one) => one === cause);
  if (cause !== undefined && known === undefined) {
    throw new PipelineError('USAGE', {
      what: `There is no cause "${cause}"`,
      todo: `There are ${causeClasses.join(', ')}.`,
    });
  }
  const partition = readNumber(options, 'partition');
  const offset = readNumber(options, 'offset');
  return {
    ...(known === undefined ? {} : { cause: known }),
    ...(topic === undefined ? {} : { topic }),
    ...(partition === undefined ? {} : { partition }),
    ...(offset === undefined ? {} : { offset }),
  };
}

function readNumber(options: Options, name: string): number | undefined {
  const given = options[name];
  if (given === undefined || given === 'end') return undefined;
  const number = Number(given);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  const problems: Problem[] = [
    { path: `--${name}`, message: `expected a whole number, not ${JSON.stringify(given)}` },
  ];
  throw new InvalidInputError({ what: 'The options are not valid', where: 'the command line', problems });
}
