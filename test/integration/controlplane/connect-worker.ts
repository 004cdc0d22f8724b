/** A Connect worker of this test file's own. */
export interface ConnectWorker {
  url: string;
  pause(connector: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startConnectWorker(): Promise<ConnectWorker> {
  const url = 'http://127.0.0.1:26002';
  return {
    url,
    pause: async (connector) => {
      await fetch(`${url}/connectors/${connector}/pause`, { method: 'PUT' });
    },
    stop: async () => {},
  };
}
