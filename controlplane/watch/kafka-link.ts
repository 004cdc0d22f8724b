import type { Admin } from 'kafkajs';
import { createKafka, kafkaError } from '../../targets/kafka.ts';
import type { Target } from '../../targets/load-target.ts';

/** A connection to Kafka that is kept from one look to the next. */
export interface KafkaLink {
  use<T>(work: (admin: Admin) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Keeps an administrative client as long as it works: for every topic it has not seen, kafkajs reads the metadata of
 * all it has, which for 200 topics takes longer than all the rest of a look. After any failure the client goes and
 * the next use makes another, because what it remembers may be what failed: a topic that is gone, a broker that
 * moved.
 */
export function createKafkaLink(target: Target): KafkaLink {
  let current: Admin | undefined;
  const drop = async () => {
    const dropped = current;
    current = undefined;
    await dropped?.disconnect().catch(() => undefined);
  };
  return {
    use: async (work) => {
      try {
        if (current === undefined) {
          const fresh = createKafka(target, { clientId: 'connectors-watch' }).admin();
          current = fresh;
          await fresh.connect();
        }
        return await work(current);
      } catch (error) {
        await drop();
        throw kafkaError(target, error);
      }
    },
    close: drop,
  };
}
