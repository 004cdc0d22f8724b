import { Session, type ChdbResult } from 'chdb';
import { toClickHouseException } from './exceptions.ts';
import { quoteIdentifier, quoteString } from './sql-tokens.ts';

/** What a statement needs its session to be like. */
export interface SessionState {
  database: string | undefined;
  settings: ReadonlyMap<string, string>;
  parameters: ReadonlyMap<string, string>;
}

export const plainState: SessionState = { database: undefined, settings: new Map(), parameters: new Map() };

/**
 * A session with one of these serves one request. Once on, the first two forbid the SET that would turn them
 * off; the third changes others, which do not come back with it.
 */
const irreversible = new Set(['readonly', 'allow_ddl', 'compatibility']);

/**
 * One connection to the engine. It runs one statement at a time and remembers what was set on it, so that a
 * request only pays for the difference, and leaves nothing behind for the next one.
 */
export class EngineSession {
  readonly #session: Session;
  #database = 'default';
  /** The database to go back to: `default`, or what `USE` chose on a session the client holds. */
  #homeDatabase = 'default';
  /** Settings of the last request; undefined where the SET failed, which may have changed some of them. */
  readonly #applied = new Map<string, string | undefined>();
  readonly #parameters = new Map<string, string>();
  /** SQL values to go back to, where that is not DEFAULT: the engine's own, or what the client chose with SET. */
  readonly #chosen: Map<string, string>;
  #clientMayHaveSet = false;
  #spent = false;

  /** @param initial what a new session has instead of the defaults, see {@link changedSettings} */
  constructor(
    folder: string,
    connectionArgs: readonly string[],
    initial: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#session = new Session(folder, { connectionArgs });
    this.#chosen = new Map(initial);
  }

  /** True when the session cannot serve another request. */
  get spent(): boolean {
    return this.#spent;
  }

  /** How many statements {@link prepare} would have to run; a pool prefers the session that needs fewest. */
  distanceTo(state: SessionState): number {
    const differsIn = (
      wanted: ReadonlyMap<string, string>,
      actual: ReadonlyMap<string, string | undefined>,
    ) => [...wanted].some(([name, value]) => actual.get(name) !== value);
    return (
      Number((state.database ?? this.#homeDatabase) !== this.#database) +
      Number(
        differsIn(state.settings, this.#applied) ||
          [...this.#applied.keys()].some((name) => !state.settings.has(name)),
      ) +
      Number(differsIn(state.parameters, this.#parameters))
    );
  }

  /**
   * True when an earlier request left a parameter here that this one lacks and its statement asks for: the
   * engine cannot forget a parameter, and with it the statement would not fail as it should.
   */
  wouldLeakParameter(asksFor: (name: string) => boolean, state: SessionState): boolean {
    return [...this.#parameters.keys()].some((name) => !state.parameters.has(name) && asksFor(name));
  }

  /** Brings the session into `state`. When that fails, the session is as it was before any request, or spent. */
  async prepare(state: SessionState): Promise<void> {
    // Settings first: those of the request before may forbid everything else.
    const changes = await this.#settingChanges(state.settings);
    if (changes.length > 0) {
      if ([...state.settings.keys()].some((name) => irreversible.has(name))) this.#spent = true;
      for (const name of state.settings.keys()) this.#applied.set(name, undefined);
      await this.run(`SET ${changes.join(', ')}`);
      this.#applied.clear();
      for (const [name, value] of state.settings) this.#applied.set(name, value);
    }
    const database = state.database ?? this.#homeDatabase;
    if (database !== this.#database) {
      await this.run(`USE ${quoteIdentifier(database)}`);
      this.#database = database;
    }
    const parameters = [...state.parameters].filter(([name, value]) => this.#parameters.get(name) !== value);
    if (parameters.length > 0) {
      await this.run(
        `SET ${parameters.map(([name, value]) => `param_${name} = ${quoteString(value)}`).join(', ')}`,
      );
      for (const [name, value] of parameters) this.#parameters.set(name, value);
    }
  }

  /** Runs one statement. @throws ClickHouseException */
  async run(statement: string, format = 'TabSeparated'): Promise<ChdbResult> {
    try {
      return await this.#session.queryAsync(statement, { format });
    } catch (error) {
      await this.#letGo();
      throw toClickHouseException(error);
    }
  }

  /** Runs a statement that changes the session itself, such as SET or USE. */
  async runOnSession(statement: string): Promise<ChdbResult> {
    // What was set is only known to the engine from now on.
    this.#clientMayHaveSet = true;
    this.#chosen.clear();
    const result = await this.run(statement);
    const database = (await this.run('SELECT currentDatabase() FORMAT TSVRaw')).text().trimEnd();
    if (database !== this.#database) this.#homeDatabase = this.#database = database;
    return result;
  }

  /** Makes this the session's last request. */
  retire(): void {
    this.#spent = true;
  }

  close(): void {
    this.#spent = true;
    this.#session.close();
  }

  /**
   * Ends what failed: until its connection runs something else, the engine keeps a failed query in
   * system.processes, with its memory and the locks of its tables. Restores the settings with it: some, such as
   * a limit of memory or of the query's size, do not even let themselves be restored.
   */
  async #letGo(): Promise<void> {
    const restored = this.#restore([...this.#applied.keys()]);
    const statement = restored.length > 0 ? `SET ${restored.join(', ')}` : 'SELECT 1 FORMAT Null';
    try {
      await this.#session.queryAsync(statement);
      this.#applied.clear();
    } catch {
      this.#spent = true;
    }
  }

  #restore(names: readonly string[]): string[] {
    return names.map((name) => `${name} = ${this.#chosen.get(name) ?? 'DEFAULT'}`);
  }

  async #settingChanges(settings: ReadonlyMap<string, string>): Promise<string[]> {
    const wanted = [...settings].filter(([name, value]) => this.#applied.get(name) !== value);
    if (this.#clientMayHaveSet) {
      await this.#learnChosen(wanted.map(([name]) => name).filter((name) => !this.#applied.has(name)));
    }
    const restored = [...this.#applied.keys()].filter((name) => !settings.has(name));
    return [
      ...this.#restore(restored),
      // Last: after `readonly = 1` nothing can be set.
      ...wanted
        .toSorted(([a], [b]) => Number(irreversible.has(a)) - Number(irreversible.has(b)))
        .map(([name, value]) => `${name} = ${quoteString(value)}`),
    ];
  }

  /** Reads what the client had chosen for these settings before a request overrides them. */
  async #learnChosen(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    for (const [name, value] of await this.changedSettings(names)) this.#chosen.set(name, value);
  }

  /** SQL values of the settings that do not have their default: of these names, or of all. */
  async changedSettings(names?: readonly string[]): Promise<Map<string, string>> {
    const among = names === undefined ? '' : `AND name IN (${names.map(quoteString).join(', ')})`;
    const result = await this.run(
      `SELECT name, value FROM system.settings WHERE changed ${among}`,
      'JSONCompactEachRow',
    );
    const lines = result.text().split('\n').filter(Boolean);
    return new Map(
      lines.map((line) => {
        const [name, value] = JSON.parse(line) as [string, string];
        return [name, quoteString(value)];
      }),
    );
  }
}
