/** How numbers, durations and times are written. Pure. */

/** 0, 0.4, 12, 1,204, 12.3 k, 4.5 M; an en dash for what is not known. */
export function count(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)} G`;
  if (size >= 1e6) return `${short(value / 1e6)} M`;
  if (size >= 1e4) return `${short(value / 1e3)} k`;
  if (size >= 10 || Number.isInteger(value)) return Math.round(value).toLocaleString('en-US');
  return short(value);
}

export function perSecond(value) {
  const text = count(value);
  return text === '–' ? text : `${text}/s`;
}

/** 0.4 s, 45 s, 3 min, 2.5 h, 4 d. */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${short(seconds)} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  if (seconds < 7170) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${short(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function ago(ms) {
  const text = duration(ms);
  return text === '–' ? text : `${text} ago`;
}

/** Time of day where the reader is. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/** One task, 3 tasks. */
export function plural(number, one, many = `${one}s`) {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}

function short(value) {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 });
}
