import path from 'node:path';
import { z } from 'zod';
import { PipelineError } from '../../core/errors.ts';
import { check } from '../../core/parse.ts';
import { replaceFile } from '../../core/replace-file.ts';
import { parseSchedule, runSchedule } from '../../core/schedule.ts';
import { resolveDashboardSettings } from '../../superset/api/access.ts';
import { readAssets } from '../../superset/declare/read-assets.ts';
import { mailReport, resolveMailSettings } from '../../superset/report/mail-report.ts';
import { renderReport, reportFormats } from '../../superset/report/render-report.ts';
import type { Options, Run } from '../command.ts';

export const run: Run = async (context, options, [name = '']) => {
  const { env, output, signal } = context;
  const { access } = resolveDashboardSettings(env, context.target());
  const dashboard = readAssets().dashboards.find(({ id }) => id === name);
  if (dashboard === undefined) {
    const known = readAssets().dashboards.map(({ id }) => id);
    throw new PipelineError('UNKNOWN_DASHBOARD', {
      what: `There is no dashboard "${name}"`,
      todo: `Use one of: ${known.join(', ')}.`,
    });
  }
  const { file, format } = outputFile(options, name);
  const to = options['mail'];
  const mail = typeof to === 'string' ? resolveMailSettings(env, to) : undefined;
  const report = async () => {
    const content = await renderReport({ access, dashboard: name, format, signal });
    replaceFile(file, content);
    const link = `${access.url}/superset/dashboard/${name}/`;
    if (mail !== undefined) await mailReport(mail, { title: dashboard.title, link, file, content });
    output.document({ file, bytes: content.length, mailedTo: mail?.to ?? [] });
    output.print(
      `${file}, ${String(Math.round(content.length / 1024))} kB${mail === undefined ? '' : `, sent to ${mail.to.join(', ')}`}`,
    );
  };
  const given = options['schedule'];
  const schedule = typeof given === 'string' ? parseSchedule(given) : undefined;
  if (schedule === undefined) {
    await report();
    return 0;
  }
  await runSchedule({
    schedule,
    signal,
    onNext: (next) => {
      output.note(`The next report is due at ${next.toISOString()}`);
    },
    onFailed: (message) => {
      output.note(`This report failed: ${message}`);
    },
    run: report,
  });
  return 0;
};

function outputFile(options: Options, name: string) {
  const given = options['out'];
  const file = path.resolve(typeof given === 'string' ? given : `${name}.png`);
  const format = check(z.enum(reportFormats), path.extname(file).slice(1)).value;
  if (format !== undefined) return { file, format };
  throw new PipelineError('USAGE', {
    what: `--out takes a file that ends in ${reportFormats.map((one) => `.${one}`).join(' or ')}, not "${String(given)}"`,
    todo: `For instance: npm run dashboards:report -- ${name} --out ${name}.pdf`,
  });
}
