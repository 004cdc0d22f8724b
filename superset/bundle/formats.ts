import type { Format } from '../declare/shapes.ts';

export interface NumberFormat {
  /** In the notation of d3-format, or a name of Superset's own. */
  d3: string;
  currency?: { symbol: string; symbolPosition: 'prefix' };
}

/** How numbers of each format are written. `AUTO` is the currency of the row. */
export function numberFormat(format: Format, reportingCurrency: string): NumberFormat {
  switch (format) {
    case 'count':
      return { d3: ',d' };
    case 'share':
      return { d3: '.1%' };
    case 'rounded_share':
      return { d3: '.0%' };
    case 'ratio':
      return { d3: ',.2f' };
    case 'days':
      return { d3: ',.1f' };
    case 'duration':
      return { d3: 'DURATION' };
    case 'money':
      return { d3: ',.0f', currency: { symbol: reportingCurrency, symbolPosition: 'prefix' } };
    case 'own_money':
      return { d3: ',.2f', currency: { symbol: 'AUTO', symbolPosition: 'prefix' } };
  }
}
