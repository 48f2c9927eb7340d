/** How a day and a moment are written everywhere, 26 Nov 2026, 15:04, in the zone of who looks at it. */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (number: number): string => String(number).padStart(2, "0");

const written = (year: number, month: number, dayOfMonth: number): string =>
  `${dayOfMonth} ${MONTHS[month]} ${year}`;

/** Of a date without a time, 2026-11-26: it is the same day in every zone. */
export function day(iso: string): string {
  const [year = 0, month = 1, dayOfMonth = 1] = iso.split("-").map(Number);
  return written(year, month - 1, dayOfMonth);
}

export function clock(iso: string, toTheSecond = true): string {
  const at = new Date(iso);
  const minute = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return toTheSecond ? `${minute}:${two(at.getSeconds())}` : minute;
}

export function moment(iso: string, toTheSecond = false): string {
  const at = new Date(iso);
  return `${written(at.getFullYear(), at.getMonth(), at.getDate())}, ${clock(iso, toTheSecond)}`;
}

const SHOWN: Readonly<Record<string, (iso: string) => string>> = {
  minute: (iso) => moment(iso),
  second: (iso) => moment(iso, true),
  clock: (iso) => clock(iso, false),
};

/** Pages come with moments in UTC: each is shown in the reader's own zone, with UTC in its title. */
export function showInOwnZone(root: ParentNode): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>("time[data-shows]:not([title])")) {
    const show = SHOWN[time.dataset.shows ?? ""];
    if (!show) continue;
    time.title = time.textContent ?? "";
    time.textContent = show(time.dateTime);
  }
}
