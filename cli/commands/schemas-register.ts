import { loadCatalog } from '../../schemas/catalog.ts';
import { registerSchemas } from '../../schemas/register.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

export const run: Run = async (context) => {
  const { output, signal } = context;
  const { topics } = loadCatalog();
  const registrations = await registerSchemas({
    registry: context.target().schemaRegistry,
    topics,
    signal,
  });
  output.document(registrations);
  output.print(
    renderTable(
      [
        { title: 'subject' },
        { title: 'result' },
        { title: 'id', align: 'right' },
        { title: 'compatibility' },
      ],
      registrations.map(({ subject, result, id, compatibility }) => [subject, result, id, compatibility]),
    ),
  );
  return 0;
};
