const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const dayMs = 86_400_000;

/** Python's `datetime.strftime` in the C locale, in local time; unknown directives stay as they are. */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (whole: string, dash: string, directive: string) => {
    const text = expand(date, directive);
    if (text === undefined) return whole;
    // glibc: a dash leaves the padding away.
    return dash === '' ? text : text.replace(/^[0 ]+(?=.)/, '');
  });
}

function expand(date: Date, directive: string): string | undefined {
  const hours12 = date.getHours() % 12 === 0 ? 12 : date.getHours() % 12;
  switch (directive) {
    case 'Y':
      return String(date.getFullYear());
    case 'y':
      return pad(date.getFullYear() % 100);
    case 'm':
      return pad(date.getMonth() + 1);
    case 'd':
      return pad(date.getDate());
    case 'e':
      return String(date.getDate()).padStart(2, ' ');
    case 'H':
      return pad(date.getHours());
    case 'I':
      return pad(hours12);
    case 'M':
      return pad(date.getMinutes());
    case 'S':
      return pad(date.getSeconds());
    case 'f':
      return pad(date.getMilliseconds() * 1000, 6);
    case 'p':
      return date.getHours() < 12 ? 'AM' : 'PM';
    case 'B':
      return months[date.getMonth()];
    case 'b':
    case 'h':
      return months[date.getMonth()]?.slice(0, 3);
    case 'A':
      return weekdays[date.getDay()];
    case 'a':
      return weekdays[date.getDay()]?.slice(0, 3);
    case 'w':
      return String(date.getDay());
    case 'u':
      return String(date.getDay() === 0 ? 7 : date.getDay());
    case 'j':
      return pad(dayOfYear(date), 3);
    case 'F':
      return strftime(date, '%Y-%m-%d');
    case 'T':
    case 'X':
      return strftime(date, '%H:%M:%S');
    case 'R':
      return strftime(date, '%H:%M');
    case 'D':
    case 'x':
      return strftime(date, '%m/%d/%y');
    case 'c':
      return strftime(date, '%a %b %e %H:%M:%S %Y');
    case 's':
      return String(Math.floor(date.getTime() / 1000));
    case 'z':
    case 'Z':
      // Python's `datetime.now()` knows no time zone.
      return '';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

function dayOfYear(date: Date): number {
  const today = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (today - Date.UTC(date.getFullYear(), 0, 0)) / dayMs;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}
