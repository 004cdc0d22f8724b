import { InterruptedError } from '../../core/errors.ts';
import type { Engine } from './engine.ts';
import type { EngineSession } from './engine-session.ts';
import { clickHouseException } from './exceptions.ts';
import { Slots } from './slots.ts';

/** Seconds without a request after which ClickHouse forgets a session, and the most a client may ask for. */
const defaultTimeoutSeconds = 60;
const maxTimeoutSeconds = 3600;

interface StickySession {
  session: EngineSession;
  /** One request at a time; the others wait their turn. ClickHouse would refuse them with SESSION_IS_LOCKED. */
  turn: Slots;
  users: number;
  expiry: NodeJS.Timeout | undefined;
}

/** The sessions that clients hold by `session_id`: SET, USE and temporary tables last from request to request. */
export class StickySessions {
  readonly #engine: Engine;
  readonly #sessions = new Map<string, StickySession>();
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Waits for the session's turn; the returned function ends it and starts the idle clock. */
  async acquire(
    {
      id,
      timeoutSeconds = defaultTimeoutSeconds,
      mustExist,
    }: {
      id: string;
      timeoutSeconds: number | undefined;
      mustExist: boolean;
    },
    signal: AbortSignal,
  ): Promise<{ session: EngineSession; release: () => void }> {
    if (timeoutSeconds > maxTimeoutSeconds) {
      throw clickHouseException(
        'INVALID_SESSION_TIMEOUT',
        `Session timeout '${timeoutSeconds}' is larger than max_session_timeout: ${maxTimeoutSeconds}`,
      );
    }
    let sticky = this.#sessions.get(id);
    if (sticky === undefined) {
      if (mustExist) throw clickHouseException('SESSION_NOT_FOUND', `Session ${id} not found`);
      if (this.#closed) throw new InterruptedError();
      sticky = { session: this.#engine.createSession(), turn: new Slots(1), users: 0, expiry: undefined };
      this.#sessions.set(id, sticky);
    }
    const held = sticky;
    held.users += 1;
    clearTimeout(held.expiry);
    const leave = () => {
      held.users -= 1;
      if (held.users > 0) return;
      if (this.#closed || held.session.spent) this.#forget(id, held);
      else
        held.expiry = setTimeout(() => {
          this.#forget(id, held);
        }, timeoutSeconds * 1000).unref();
    };
    try {
      const endTurn = await held.turn.acquire(signal);
      return {
        session: held.session,
        release: () => {
          endTurn();
          leave();
        },
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Closes the idle sessions now and each of the others as its last request ends. */
  close(): void {
    this.#closed = true;
    for (const [id, sticky] of this.#sessions) if (sticky.users === 0) this.#forget(id, sticky);
  }

  #forget(id: string, sticky: StickySession): void {
    clearTimeout(sticky.expiry);
    this.#sessions.delete(id);
    sticky.session.close();
  }
}
