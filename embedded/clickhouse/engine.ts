import { drainPending } from 'chdb';
import { EngineSession, plainState, type SessionState } from './engine-session.ts';
import { quoteString } from './sql-tokens.ts';

/** What every answer says about the server. */
export interface EngineFacts {
  version: string;
  timezone: string;
  hostName: string;
  /** Names of all settings: a name that is none of them is refused before it reaches a session. */
  settingNames: ReadonlySet<string>;
}

/** Sessions that wait for a request, beyond which they are closed. */
const maxIdleSessions = 32;

/** The engine of one data folder: its sessions, and the one for the endpoint's own statements. */
export class Engine {
  readonly facts: EngineFacts;
  readonly #folder: string;
  readonly #connectionArgs: readonly string[];
  readonly #control: EngineSession;
  readonly #initialSettings: ReadonlyMap<string, string>;
  readonly #idle: EngineSession[] = [];

  private constructor(
    folder: string,
    connectionArgs: readonly string[],
    control: EngineSession,
    initialSettings: ReadonlyMap<string, string>,
    facts: EngineFacts,
  ) {
    this.#folder = folder;
    this.#connectionArgs = connectionArgs;
    this.#control = control;
    this.#initialSettings = initialSettings;
    this.facts = facts;
  }

  /**
   * Opens the data folder, which is created where it does not exist.
   *
   * @throws when another process has it open, among other reasons
   */
  static async open(folder: string, connectionArgs: readonly string[]): Promise<Engine> {
    // The engine stays up as long as one session is open: this one is, to the end.
    const control = new EngineSession(folder, connectionArgs);
    const read = async (sql: string) => (await control.run(sql)).text().trim();
    const [version = '', timezone = '', hostName = ''] = (
      await read('SELECT version(), timezone(), hostName()')
    ).split('\t');
    const names = await read('SELECT name FROM system.settings');
    return new Engine(folder, connectionArgs, control, await control.changedSettings(), {
      version,
      timezone,
      hostName,
      settingNames: new Set(names.split('\n')),
    });
  }

  /** A session nobody else has. */
  createSession(): EngineSession {
    return new EngineSession(this.#folder, this.#connectionArgs, this.#initialSettings);
  }

  /**
   * A session for one request, in the state it asks for: an idle one that needs the fewest changes, or a new one.
   * Sessions are kept because the binding only destroys a closed one when no statement runs anywhere: with one
   * long query running, a session for each request would pile up.
   *
   * @param asksFor whether the request's statement refers to a parameter
   * @throws ClickHouseException when the engine refuses the state
   */
  async acquire(asksFor: (parameter: string) => boolean, state: SessionState): Promise<EngineSession> {
    for (;;) {
      const idle = this.#takeIdle(asksFor, state);
      const session = idle ?? this.createSession();
      try {
        await session.prepare(state);
        return session;
      } catch (error) {
        // Spent by what an earlier request set on it: another one serves this request.
        const isOthersFault = idle !== undefined && session.spent;
        this.release(session);
        if (!isOthersFault) throw error;
      }
    }
  }

  #takeIdle(asksFor: (parameter: string) => boolean, state: SessionState): EngineSession | undefined {
    let best: EngineSession | undefined;
    let bestDistance = Infinity;
    for (const session of this.#idle) {
      const distance = session.distanceTo(state);
      if (distance < bestDistance && !session.wouldLeakParameter(asksFor, state)) {
        best = session;
        bestDistance = distance;
      }
      if (bestDistance === 0) break;
    }
    if (best !== undefined) this.#idle.splice(this.#idle.indexOf(best), 1);
    return best;
  }

  release(session: EngineSession): void {
    if (session.spent || this.#idle.length >= maxIdleSessions) session.close();
    // The last one used is the first one tried: it most probably fits the next request.
    else this.#idle.unshift(session);
  }

  /** Runs one statement of the endpoint's own. */
  async runOnce(statement: string): Promise<void> {
    const session = await this.acquire(() => false, plainState);
    try {
      await session.run(statement);
    } finally {
      this.release(session);
    }
  }

  /** Cancels the running statement that carries `marker` at its end. */
  async kill(marker: string): Promise<void> {
    // Never SYNC: it waits for a query that may itself wait for us.
    await this.#control.run(`KILL QUERY WHERE endsWith(query, ${quoteString(marker)}) ASYNC`);
  }

  async close(): Promise<void> {
    for (const session of this.#idle.splice(0)) session.close();
    this.#control.close();
    await drainPending();
  }
}
