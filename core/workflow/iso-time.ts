const DAY_MS = 86_400_000;

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar (years begin in March, so leap days come last). */
function civil(day: number): { year: number; month: number; dayOfMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, dayOfMonth: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1 };
}

/** RFC 3339 with milliseconds, UTC, as `$$.Execution.StartTime` shows it. Written out because core has no `Date`. */
export function isoTime(atMs: number): string {
  const whole = Math.floor(atMs);
  const day = Math.floor(whole / DAY_MS);
  const inDay = whole - day * DAY_MS;
  const { year, month, dayOfMonth } = civil(day);
  const seconds = Math.floor(inDay / 1000);
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(dayOfMonth, 2)}`;
  const time = `${padded(Math.floor(seconds / 3600), 2)}:${padded(Math.floor(seconds / 60) % 60, 2)}:${padded(seconds % 60, 2)}`;
  return `${date}T${time}.${padded(inDay % 1000, 3)}Z`;
}
