import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { waitFor } from '../../../core/wait.ts';
import { connectSuperset } from '../../../superset/api/client.ts';
import { uuidOf } from '../../../superset/bundle/uuids.ts';
import { logInWithBrowser, openDashboard } from '../../../superset/report/open-dashboard.ts';
import { freePorts } from '../../support/free-ports.ts';
import { landEvents } from '../../support/land-events.ts';
import { runCli } from '../../support/run-cli.ts';
import { seededHistory } from '../../support/seeded-history.ts';
import {
  browser,
  cli,
  dayMs,
  env,
  models,
  open,
  openPage,
  page,
  superset,
  url,
} from './superset-under-test.ts';

/** The pages in a real browser, the reports, and ClickHouse away. */
export function testPages(): void {
  describe('the pages', () => {
    beforeAll(openPage);
    afterAll(async () => {
      await page.close();
    });
    const shownIn = (title: string) =>
      page
        .locator('.dashboard-component-chart-holder', { hasText: title })
        .locator('.header-line')
        .first()
        .innerText();

    it('show the number of ClickHouse after a filter was chosen', async () => {
      await open('billing-overview');
      await page
        .locator('[data-test="form-item-value"], .filter-item-wrapper')
        .filter({ hasText: 'options' })
        .first()
        .click();
      await page.keyboard.type('EUR');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Escape');
      await page.locator('[data-test="filter-bar__apply-button"]').click();
      const [[from, expected] = []] = (
        await models.clickhouse.queryTable(
          `SELECT toStartOfMonth(addMonths(today(), -12)) AS first, uniqExact(t.payment_id) FROM dim_payment_details AS t
         WHERE t.currency = 'EUR' AND t.payment_initiated_at >= toStartOfMonth(addMonths(today(), -12))`,
        )
      ).rows;
      expect(from).toBeDefined();
      const text = Number(expected).toLocaleString('en-US');
      await waitFor(async () => (await shownIn('Payments')) === text, {
        what: `the number ${text}`,
        timeoutMs: 30_000,
      });
    });

    it('follow what lands without anybody touching them', async () => {
      await page.clock.install();
      await open('operations');
      const title = 'Payments in the last 24 hours';
      const before = Number((await shownIn(title)).replaceAll(',', ''));
      const started = Date.now();
      const later = seededHistory({ seed: 99, customers: 400, startAt: started - 2 * dayMs, endAt: started });
      const payments = later.filter(({ topic }) => topic === 'billing.payments');
      await landEvents(models.clickhouse, payments);
      const [[expected] = []] = (
        await models.clickhouse.queryTable(
          'SELECT uniqExact(payment_id) FROM raw_payments WHERE initiated_at >= now() - INTERVAL 24 HOUR',
        )
      ).rows;
      expect(Number(expected)).toBeGreaterThan(before);
      // The refresh comes after a minute of the page's own clock.
      await page.clock.fastForward(61_000);
      const text = Number(expected).toLocaleString('en-US');
      await waitFor(async () => (await shownIn(title)) === text, {
        what: `the number ${text}`,
        timeoutMs: 40_000,
      });
    });

    it('let viewers look at what is theirs, and change nothing', async () => {
      const roles = await superset.list(
        '/api/v1/security/roles/',
        z.object({ id: z.int(), name: z.string() }),
        ['id', 'name'],
      );
      const role = roles.find(({ name }) => name === 'Billing support')!;
      const login = { user: 'support-viewer', password: 'planted-password-5512' };
      await superset.send('POST', '/api/v1/security/users/', {
        username: login.user,
        password: login.password,
        first_name: 'Support',
        last_name: 'Viewer',
        email: 'support@example.com',
        active: true,
        roles: [role.id],
      });
      const viewer = await connectSuperset({ url, login });
      const dashboards = await viewer.list(
        '/api/v1/dashboard/',
        z.object({ id: z.int(), slug: z.string() }),
        ['id', 'slug'],
      );
      expect(dashboards.map(({ slug }) => slug)).toContain('collections');
      expect(dashboards.map(({ slug }) => slug)).not.toContain('subscriptions');
      await expect(
        viewer.send('PUT', `/api/v1/dashboard/${String(dashboards[0]!.id)}`, { dashboard_title: 'Mine' }),
      ).rejects.toMatchObject({ code: 'SUPERSET_REFUSED' });
      const own = await logInWithBrowser(browser, { url, login });
      await openDashboard(own, url, 'collections');
      await own.close();
    });
  });

  describe('dashboards:report', () => {
    it('mails a dashboard as a PDF', async () => {
      const mails: string[] = [];
      const server = new SMTPServer({
        disabledCommands: ['STARTTLS', 'AUTH'],
        onData: (stream, _session, done) => {
          let mail = '';
          stream
            .on('data', (part: Buffer) => (mail += part.toString('latin1')))
            .on('end', () => {
              mails.push(mail);
              done();
            });
        },
      });
      const [port = 0] = await freePorts(1);
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      const file = path.join(String(env['PIPELINE_HOME']), 'overview.pdf');
      const mail = {
        ALERT_SMTP_URL: `smtp://127.0.0.1:${String(port)}`,
        ALERT_MAIL_FROM: 'reports@example.com',
      };
      const run = await runCli(
        { ...env, ...mail },
        'dashboards:report',
        'billing-overview',
        '--out',
        file,
        '--mail',
        'finance@example.com',
      );
      await new Promise<void>((resolve) => {
        server.close(resolve);
      });
      expect(run).toMatchObject({ exitCode: 0, stderr: '' });
      expect(readFileSync(file).subarray(0, 5).toString()).toBe('%PDF-');
      expect(mails).toHaveLength(1);
      expect(mails[0]).toContain('Subject: Report: Billing overview');
      expect(mails[0]).toMatch(/filename=overview\.pdf/);
    });

    it.each([
      [['nothing'], 'There is no dashboard "nothing"'],
      [['operations', '--out', 'report.gif'], '--out takes a file that ends in .png or .pdf'],
      [['operations', '--mail', 'nobody'], 'ALERT_SMTP_URL'],
      [['operations', '--schedule', 'daily'], 'The schedule "daily" is not valid'],
    ])('refuses %j', async (flags, message) => {
      const run = await cli('dashboards:report', ...flags);
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain(message);
    });
  });

  describe('ClickHouse', () => {
    it('may be away: charts say so, and recover', async () => {
      const [nobody = 0] = await freePorts(1);
      const ask = async () => {
        const datasets = await superset.list(
          '/api/v1/dataset/',
          z.object({ id: z.int(), uuid: z.string() }),
          ['id', 'uuid'],
        );
        const dataset = datasets.find(({ uuid }) => uuid === uuidOf('dataset', 'disputes'))!;
        return superset.send('POST', '/api/v1/chart/data', {
          datasource: { id: dataset.id, type: 'table' },
          force: true,
          result_format: 'json',
          queries: [{ columns: ['reason'], metrics: ['disputes'] }],
        });
      };
      await ask();
      await runCli(
        { ...env, SUPERSET_CLICKHOUSE_URL: `http://127.0.0.1:${String(nobody)}` },
        'dashboards:apply',
      );
      await expect(ask()).rejects.toThrow(/Connection refused|connect/i);
      await cli('dashboards:apply');
      await ask();
    });
  });
}
