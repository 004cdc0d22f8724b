import type { Admin } from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import { createRegistry } from '../../schemas/registry.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopicOffsets } from '../topic-offsets.ts';
import { createDecoder } from './decode.ts';
import type { DeadLetter } from './letters.ts';

/**
 * Says of a letter why it is not sent: it cannot be, or it would fail again. Undefined where nothing speaks against it.
 *
 * @throws PipelineError `REGISTRY_UNREACHABLE` from the returned function, unless forced
 */
export async function createRefusal(
  { target, admin, signal }: { target: Target; admin: Admin; signal?: AbortSignal },
  letters: readonly DeadLetter[],
): Promise<(letter: DeadLetter, force: boolean) => Promise<string | undefined>> {
  const names = [...new Set(letters.flatMap(({ source }) => source?.topic ?? []))];
  const offsets = await readTopicOffsets(admin, names);
  const decode = createDecoder(createRegistry(target.schemaRegistry, signal));
  return async (letter: DeadLetter, force: boolean): Promise<string | undefined> => {
    const { source, attempts, message } = letter;
    if (source === undefined) return 'no header says where it came from';
    const topic = offsets.get(source.topic);
    if (topic?.partitions.some(({ partition }) => partition === source.partition) !== true)
      return `${source.topic}/${source.partition} does not exist`;
    if (force) return undefined;
    if (attempts > 0)
      return `came back from a replay (${attempts}): once its cause is gone, send it with --force`;
    const decoded = await decode(message.value).catch((error: unknown) => {
      if (!(error instanceof PipelineError) || error.code !== 'REGISTRY_UNREACHABLE') throw error;
      throw new PipelineError('REGISTRY_UNREACHABLE', {
        what: `${error.message}, so nobody can say which dead letters would fail again`,
        ...(error.where === undefined ? {} : { where: error.where }),
        todo: 'Bring the registry back, or send them unread with --force.',
        cause: error,
      });
    });
    return decoded.kind === 'undecodable' ? `would fail again: ${decoded.why}` : undefined;
  };
}
