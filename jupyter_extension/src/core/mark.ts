import { absoluteTime, count, duration } from './format';
import type { CellRecord } from './records';

/** How a captured cell is marked; the later ones outrank the earlier ones. */
export type MarkKind = 'captured' | 'run' | 'findings' | 'failed' | 'edited';

export interface Mark {
  kind: MarkKind;
  text: string;
}

const REDACTED = '[redacted]';

/** The mark of a cell: what the kernel recorded of it, against the source that stands in it now. */
export function markOf(record: CellRecord, source: string, runName: string | null): Mark {
  const edited = !sameSource(record.source, source);
  return { kind: edited ? 'edited' : kindOf(record), text: describe(record, edited, runName) };
}

/** Whether a source is the recorded one, which may have had its secrets taken out. */
export function sameSource(recorded: string, source: string): boolean {
  const [wanted, given] = [recorded.trimEnd(), source.trimEnd()];
  if (wanted === given || !wanted.includes(REDACTED)) {
    return wanted === given;
  }
  const parts = wanted.split(REDACTED).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*?')}$`).test(given);
}

function kindOf(record: CellRecord): MarkKind {
  if (record.outcome !== 'ok') {
    return 'failed';
  }
  if (record.findings.some(finding => finding.severity !== 'info')) {
    return 'findings';
  }
  return record.run === null ? 'captured' : 'run';
}

function describe(record: CellRecord, edited: boolean, runName: string | null): string {
  const lines = [
    `In [${record.execution_count ?? ' '}], captured ${absoluteTime(record.started)}`,
    `${outcome(record)} in ${duration(record.duration)}`
  ];
  if (edited) {
    lines.unshift('Edited since it was executed');
  }
  if (record.run !== null) {
    lines.push(`Run ${[runName, record.run.slice(0, 8)].filter(Boolean).join(' · ')}`);
  }
  if (record.findings.length) {
    lines.push(`${count(record.findings.length, 'finding')}:`);
    lines.push(
      ...record.findings.map(finding => `  ${finding.severity}: ${finding.seen}. ${finding.remedy}`)
    );
  }
  return lines.join('\n');
}

function outcome(record: CellRecord): string {
  if (record.outcome === 'ok') {
    return 'Succeeded';
  }
  return record.outcome === 'interrupted' ? 'Interrupted' : `Failed with ${record.error?.type ?? 'an error'}`;
}
