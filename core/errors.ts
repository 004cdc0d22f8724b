/**
 * The errors a person can act on.
 *
 * Everything the pipeline expects to go wrong is a {@link PipelineError}: it prints as two or three lines
 * (what failed, where, what to do next) and never as a stack trace. Anything else that reaches the command
 * line is a bug of ours and is reported as one.
 */

export interface PipelineErrorInit {
  /** What failed, one sentence without a trailing full stop. */
  what: string;
  /** The file, address or resource it failed at. */
  where?: string;
  /** What the reader can do about it. */
  todo?: string;
  /** True where the same call may succeed later without anybody changing anything. */
  retryable?: boolean;
  cause?: unknown;
}

export class PipelineError extends Error {
  /** Stable, upper snake case: tests and callers match on this and never on the message. */
  readonly code: string;
  readonly where: string | undefined;
  readonly todo: string | undefined;
  readonly retryable: boolean;

  constructor(code: string, init: PipelineErrorInit) {
    super(init.what, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'PipelineError';
    this.code = code;
    this.where = init.where;
    this.todo = init.todo;
    this.retryable = init.retryable ?? false;
  }
}

/** One finding in a file, addressed by a dotted path such as `topics[2].partitions`. */
export interface Problem {
  path: string;
  message: string;
}

/** A file, an environment or a server's answer that does not have the expected shape: all problems at once. */
export class InvalidInputError extends PipelineError {
  readonly problems: readonly Problem[];

  constructor(init: { what: string; where: string; todo?: string; problems: readonly Problem[] }) {
    super('INVALID_INPUT', {
      what: init.what,
      where: init.where,
      ...(init.todo === undefined ? {} : { todo: init.todo }),
    });
    this.name = 'InvalidInputError';
    this.problems = init.problems;
  }
}

/** The user, or a signal, asked us to stop. */
export class InterruptedError extends PipelineError {
  constructor(what = 'Interrupted') {
    super('INTERRUPTED', { what });
    this.name = 'InterruptedError';
  }
}

/** The first line of any thrown value, for use inside our own messages. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  if (error instanceof Error) return error.message.split('\n', 1)[0] ?? error.name;
  return String(error);
}

/** The `code` that Node, chDB and most clients put on their errors. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' || typeof error.code === 'number' ? String(error.code) : undefined;
}

/** True for an answer to `signal.abort()`, whoever threw it. */
export function isAbort(error: unknown): boolean {
  return error instanceof InterruptedError || (error instanceof Error && error.name === 'AbortError');
}
