import { markdownTable } from './table.js';
import { newestOfEach, toCheck, type Result } from './result.js';

/** The report of a run, as it stands in the READMEs. */

const BEGIN = '<!-- bench report: written by `npm run bench -- publish` -->';
const END = '<!-- end of bench report -->';

/** Markdown: date, machine and versions, and the table of all figures that have a budget. */
export function reportOf(results: readonly Result[]): string {
  const newest = newestOfEach(results);
  const last = newest.at(-1);
  if (!last) throw new Error('nothing was measured');
  const { date, commit, cpu, cores, memoryGb, kernel, versions } = last;
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const heading =
    `${date.slice(0, 10)}, commit ${commit}. ${cpu}, ${cores} cores, ${memoryGb} GB, ` +
    `Linux ${kernel}; ${list.join(', ')}.`;
  const quick = newest.some((result) => result.quick)
    ? '\n\nQuick: short phases, and an eighth of the 2 GB model.'
    : '';
  return `${heading}${quick}\n\n${markdownTable(newest.flatMap((it) => toCheck(it) ?? []))}`;
}

/** Puts a report in the place of the one before. Throws if the text has no place for it. */
export function replaceReport(text: string, report: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`no place for the report: expected ${BEGIN}`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${report}\n\n${text.slice(end)}`;
}
