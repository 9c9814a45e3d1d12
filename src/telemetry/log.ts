import { pino, type Logger } from 'pino';

export type { Logger };

/** The process's log: JSON lines on standard output. `name` tells supervisor from workers. */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, base: { name, pid: process.pid } });
}
