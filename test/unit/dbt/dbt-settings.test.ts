import { describe, expect, it } from 'vitest';
import { resolveHome } from '../../../core/home.ts';
import { dbtSettings } from '../../../dbt/run-dbt.ts';
import { loadTarget } from '../../../targets/load-target.ts';

const home = resolveHome({ PIPELINE_HOME: '/tmp/home' });

describe('dbtSettings', () => {
  it('takes the server from the target, its port from the address or its scheme', () => {
    const settings = (url: string) => dbtSettings(loadTarget('embedded', { CLICKHOUSE_URL: url }), home);
    expect(settings('http://127.0.0.1:8124')).toMatchObject({
      DBT_CLICKHOUSE_HOST: '127.0.0.1',
      DBT_CLICKHOUSE_PORT: '8124',
      DBT_CLICKHOUSE_SECURE: 'false',
      DBT_CLICKHOUSE_DATABASE: 'billing',
    });
    expect(settings('https://abc.clickhouse.cloud:8443')).toMatchObject({
      DBT_CLICKHOUSE_PORT: '8443',
      DBT_CLICKHOUSE_SECURE: 'true',
    });
    expect(settings('https://clickhouse.internal')).toMatchObject({ DBT_CLICKHOUSE_PORT: '443' });
  });

  it('hands the password over under the prefix that dbt masks, and nowhere else', () => {
    const settings = dbtSettings(loadTarget('embedded', { CLICKHOUSE_PASSWORD: 'hunter2' }), home);
    const holders = Object.keys(settings).filter((name) => settings[name]?.includes('hunter2'));
    expect(holders).toEqual(['DBT_ENV_SECRET_CLICKHOUSE_PASSWORD']);
  });

  it("trusts the target's authority in the place where OpenSSL looks", () => {
    const target = loadTarget('embedded', { CLICKHOUSE_URL: 'https://ch.example:8443' });
    expect(dbtSettings(target, home)).not.toHaveProperty('SSL_CERT_FILE');
    const trusting = { ...target, clickhouse: { ...target.clickhouse, tls: { caFile: '/etc/ca.pem' } } };
    expect(dbtSettings(trusting, home)).toMatchObject({ SSL_CERT_FILE: '/etc/ca.pem' });
  });

  it('writes only to the home', () => {
    const settings = dbtSettings(loadTarget('embedded', {}), home);
    expect(settings).toMatchObject({ DBT_TARGET_PATH: '/tmp/home/dbt', DBT_LOG_PATH: '/tmp/home/logs/dbt' });
  });
});
