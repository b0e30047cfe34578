const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;

/** "5min ago"; both times in seconds since the epoch. */
export function relativeTime(then: number, now: number): string {
  const seconds = Math.max(0, now - then);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
  if (seconds < 10) {
    return 'just now';
  }
  if (seconds < MINUTE) {
    return format.format(-Math.floor(seconds), 'second');
  }
  if (seconds < HOUR) {
    return format.format(-Math.floor(seconds / MINUTE), 'minute');
  }
  if (seconds < DAY) {
    return format.format(-Math.floor(seconds / HOUR), 'hour');
  }
  return seconds < MONTH ? format.format(-Math.floor(seconds / DAY), 'day') : absoluteTime(then).slice(0, 10);
}

/** "2026-03-01 14:05:09", local time, of seconds since the epoch. */
export function absoluteTime(seconds: number): string {
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(seconds * 1000);
}

/** "340 ms", "12.3 s", "4 min 10 s", "2 h 5 min" of seconds. */
export function duration(seconds: number): string {
  if (seconds < 1) {
    return `${Math.round(seconds * 1000)} ms`;
  }
  if (seconds < MINUTE) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return whole < HOUR
    ? `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`
    : `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`;
}

/** Four significant digits; very large and very small numbers in scientific notation. */
export function metric(value: number | null): string {
  if (typeof value !== 'number') {
    return 'not a number';
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) {
    return value.toExponential(3);
  }
  return new Intl.NumberFormat('en', Number.isInteger(value) ? {} : { maximumSignificantDigits: 4 }).format(
    value
  );
}

/** "1 finding", "3 findings". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
