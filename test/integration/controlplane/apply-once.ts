import { applyPlan } from '../../../controlplane/apply.ts';
import { createCloudClient } from '../../../controlplane/confluent-cloud/cloud-client.ts';
import type { DesiredConnector } from '../../../controlplane/connector-config.ts';
import { createConnectClient } from '../../../controlplane/kafka-connect/connect-client.ts';
import { planConnectors } from '../../../controlplane/plan.ts';
import { cloudLogin } from './confluent-cloud/conforming-server.ts';
import type { Connection } from './service-under-test.ts';

/** A process for the tests of two applies at once: plans one connector, applies it, prints the failure or null. */
interface Asked {
  connection: Connection;
  connector: Omit<DesiredConnector, 'secretKeys'> & { secretKeys: string[] };
}

const { connection, connector } = JSON.parse(process.argv[2] ?? '') as Asked;
const { environment, cluster, apiKey, apiSecret } = cloudLogin;
const pace = { pollIntervalMs: 20, settleMs: 300, readBackTimeoutMs: 2000, startTimeoutMs: 20_000 };
const service =
  connection.kind === 'worker'
    ? createConnectClient({ url: connection.url })
    : createCloudClient({
        url: connection.url,
        environment,
        cluster,
        credentials: { username: apiKey, password: apiSecret },
        pace,
      });
const desired = { ...connector, secretKeys: new Set(connector.secretKeys) };
const [applied] = await applyPlan(service, planConnectors([desired], await service.list()), { pace });
process.stdout.write(JSON.stringify(applied?.failure ?? null));
