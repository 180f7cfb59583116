/** Decimal units, as disks and downloads are sold: "98.4 MB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let index = 0;
  while (value >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${index === 0 ? value : value.toFixed(value < 99.95 ? 1 : 0)} ${units[index]}`;
}

/** "850 ms", "3.2 s", "4 min 05 s", "2 h 10 min". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** "134.5 M", "1.2 B": as models are named. */
export function formatCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} B`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  if (count >= 1e4) return `${(count / 1e3).toFixed(1)} k`;
  return String(count);
}

export interface AnswerFigures {
  readonly outputTokens: number;
  readonly firstTokenMs: number;
  readonly decodeMs: number;
}

/** The line after an answer: "42 tokens, time to first token 120 ms, 35.1 tok/s". */
export function formatAnswerFigures(figures: AnswerFigures): string {
  const { outputTokens, firstTokenMs, decodeMs } = figures;
  const speed = decodeMs > 0 ? (outputTokens * 1000) / decodeMs : 0;
  const tokens = outputTokens === 1 ? '1 token' : `${outputTokens} tokens`;
  return `${tokens}, time to first token ${Math.round(firstTokenMs)} ms, ${speed.toFixed(1)} tok/s`;
}
