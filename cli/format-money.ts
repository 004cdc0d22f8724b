/**
 * Digits after the decimal point, by ISO 4217; every other currency has two. (Node's own Intl has the digits
 * people use in shops, which differ from the standard for a few currencies.)
 */
const exponents: Readonly<Record<string, number>> = {
  ...all(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...all(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...all(4, 'CLF UYW'),
};

/** `1234567` minor units as `12,345.67` (USD), `1,234,567` (JPY) or `1,234.567` (KWD). */
export function formatMinor(amountMinor: bigint, currency: string): string {
  const exponent = exponents[currency] ?? 2;
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  const whole = BigInt(digits.slice(0, digits.length - exponent)).toLocaleString('en-US');
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`;
  return `${sign}${whole}${fraction}`;
}

function all(exponent: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map((currency) => [currency, exponent]));
}
