import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import { ClickHouseException, clickHouseException } from './exceptions.ts';

/** Forms carry parameters and at most a statement: a longer field is refused rather than cut. */
const maxFieldBytes = 32 * 1024 * 1024;

/** Reads the fields of a multipart body; undefined for every other kind of body, which is left alone. */
export async function readForm(request: IncomingMessage): Promise<Map<string, string> | undefined> {
  const contentType = request.headers['content-type'] ?? '';
  if (!contentType.toLowerCase().startsWith('multipart/form-data')) return undefined;
  const fields = new Map<string, string>();
  try {
    const form = new Busboy({
      headers: { ...request.headers, 'content-type': contentType },
      limits: { fieldSize: maxFieldBytes },
    });
    form.on('field', (name, value, _nameTruncated, valueTruncated) => {
      if (valueTruncated) form.destroy(tooLong(name));
      else fields.set(name, value);
    });
    form.on('file', (name) =>
      form.destroy(clickHouseException('NOT_IMPLEMENTED', `External tables are not supported: ${name}`)),
    );
    await pipeline(request, form);
  } catch (error) {
    if (error instanceof ClickHouseException) throw error;
    throw clickHouseException('BAD_ARGUMENTS', 'Cannot parse the multipart form', error);
  }
  return fields;
}

function tooLong(name: string): ClickHouseException {
  return clickHouseException('BAD_ARGUMENTS', `The field ${name} has more than ${maxFieldBytes} bytes`);
}
