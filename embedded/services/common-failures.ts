import type { KnownFailure } from './service.ts';

/** What may happen to any service. */
export const commonFailures: readonly KnownFailure[] = [
  {
    pattern: /No space left on device|ENOSPC|NOT_ENOUGH_SPACE/,
    code: 'DISK_FULL',
    what: 'the disk is full',
    todo: 'Free some space, or move the state with PIPELINE_HOME; then run "npm run up" again.',
  },
  {
    pattern: /Address already in use|EADDRINUSE|Port \d+ seems to be used by another process/,
    code: 'PORT_TAKEN',
    what: 'its port was taken while it started',
    todo: 'Run "npm run up" again: it names the process that has the port.',
  },
  {
    pattern: /OutOfMemoryError|insufficient memory for the Java Runtime|Could not reserve enough space/,
    code: 'OUT_OF_MEMORY',
    what: 'it ran out of memory',
    todo: 'The whole stack needs 3 GB of free memory.',
  },
];
