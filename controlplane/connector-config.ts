/** What a declaration may ask of its connector. Without it, whoever operates the connector decides. */
export const declaredStates = ['running', 'paused', 'stopped'] as const;
export type DeclaredState = (typeof declaredStates)[number];

/** A file of `connectors/` as it is written: references unresolved. */
export interface Declaration {
  name: string;
  config: ConnectorConfig;
  state?: DeclaredState;
}

/** A declaration made concrete for one target. Holds secrets: print it through a plan or not at all. */
export interface DesiredConnector {
  name: string;
  config: ConnectorConfig;
  /** Undefined where the declaration does not say. */
  state?: DeclaredState;
  /** Keys whose value came from a reference marked as secret. */
  secretKeys: ReadonlySet<string>;
  /** What the server gives back of its own for keys that are not declared: no difference. */
  serverDefaults?: ConnectorConfig;
  /** Keys of the declaration that this kind of server does not get, and why. */
  leftOut?: readonly LeftOutKey[];
}

export interface LeftOutKey {
  key: string;
  why: string;
}

/** Connect's own form: flat, and every value a string. */
export type ConnectorConfig = Readonly<Record<string, string>>;

/** The topics a connector reads. */
export function topicsOf({ config }: Pick<DesiredConnector, 'config'>): string[] {
  return listItems(config['topics']);
}

/** `topic2TableMap`, read the way the sink reads it. */
export function tablesByTopic({ config }: Pick<DesiredConnector, 'config'>): Map<string, string> {
  return new Map(
    listItems(config['topic2TableMap']).map((item) => {
      const [topic = '', table = ''] = item.split('=', 2).map((part) => part.trim());
      return [topic, table];
    }),
  );
}

/** A comma-separated list, the way Connect and the sink read one. */
export function listItems(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
