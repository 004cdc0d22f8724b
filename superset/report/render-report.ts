import type { Page } from 'playwright-core';
import { startBrowser } from '../../core/browser.ts';
import { InterruptedError } from '../../core/errors.ts';
import type { SupersetAccess } from '../api/client.ts';
import { logInWithBrowser, openDashboard, wholeDashboard } from './open-dashboard.ts';

export const reportFormats = ['png', 'pdf'] as const;
export type ReportFormat = (typeof reportFormats)[number];

export interface ReportOptions {
  access: SupersetAccess;
  /** The dashboard's name in its address. */
  dashboard: string;
  format: ReportFormat;
  signal?: AbortSignal;
}

/** The dashboard without Superset's own head. */
const withoutMenu = '?standalone=1';

/**
 * A picture of a dashboard as it looks now, with all of its charts drawn; as a PDF it is one page of the picture's size.
 *
 * @throws PipelineError `CHROMIUM_MISSING` and those of opening a dashboard
 */
export async function renderReport({ access, dashboard, format, signal }: ReportOptions): Promise<Buffer> {
  const browser = await startBrowser();
  const stop = () => void browser.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const page = await logInWithBrowser(browser, access);
    await openDashboard(page, access.url, dashboard, withoutMenu);
    const image = await picture(page);
    return format === 'png' ? image : await asPdf(page, image);
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await browser.close();
  }
}

/** What is drawn of the page, without the empty part below. */
export async function picture(page: Page): Promise<Buffer> {
  // Lines and bars grow into place.
  await page.waitForFunction("document.getAnimations().every(({ playState }) => playState !== 'running')");
  const boxes = await Promise.all(
    (await page.locator('.grid-content').all()).map((part) => part.boundingBox()),
  );
  const bottom = Math.max(0, ...boxes.map((box) => (box === null ? 0 : box.y + box.height)));
  const height = Math.min(wholeDashboard.height, Math.ceil(bottom) + 24);
  return page.screenshot({
    clip: { x: 0, y: 0, width: wholeDashboard.width, height },
    animations: 'disabled',
  });
}

async function asPdf(page: Page, image: Buffer): Promise<Buffer> {
  const source = `data:image/png;base64,${image.toString('base64')}`;
  await page.setContent(`<style>body{margin:0}img{width:100vw;display:block}</style><img src="${source}">`);
  const height = (await page.locator('img').boundingBox())?.height ?? wholeDashboard.height;
  return page.pdf({
    width: `${String(wholeDashboard.width)}px`,
    height: `${String(Math.ceil(height) + 1)}px`,
    printBackground: true,
  });
}
