import { element } from './element';
import { countFindings, findingList } from './finding';
import { absoluteTime, duration } from './format';
import type { CellRecord, Finding } from './records';

/** How a captured cell is marked; the later ones outrank the earlier ones. */
export type MarkKind = 'captured' | 'run' | 'findings' | 'failed' | 'edited';

export interface Mark {
  kind: MarkKind;
  /** Everything, for whoever hears the page. */
  text: string;
  /** The cell as the notebook names it. */
  place: string;
  head: string;
  facts: string[];
  findings: readonly Finding[];
}

const REDACTED = '[redacted]';

/** The mark of a cell: what the kernel recorded of it, against the source that stands in it now. */
export function markOf(record: CellRecord, source: string, runName: string | null): Mark {
  const edited = !sameSource(record.source, source);
  const place = `In [${record.execution_count ?? ' '}]`;
  const head = `${place}${edited ? ', edited since it was executed' : ''}`;
  const facts = describe(record, runName);
  const findings = record.findings;
  const said = findings.map(finding => `${finding.severity}: ${finding.seen}. ${finding.remedy}`);
  const text = [head, ...facts, ...(said.length ? [`${countFindings(findings)}:`, ...said] : [])].join('\n');
  return { kind: edited ? 'edited' : kindOf(record), text, place, head, facts, findings };
}

/** What stands on the card of a mark. */
export function markCard(mark: Mark): Node[] {
  return [
    element('h3', { class: 'cellops-run-name', text: mark.head }),
    ...mark.facts.map(text => element('p', { class: 'cellops-fact', text })),
    ...(mark.findings.length ? [findingList(mark.findings, mark.place)] : [])
  ];
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

function describe(record: CellRecord, runName: string | null): string[] {
  const name = [runName, record.run?.slice(0, 8)].filter(Boolean).join(' · ');
  return [
    `${outcome(record)} in ${duration(record.duration)}, captured ${absoluteTime(record.started)}`,
    ...(record.run === null ? [] : [`Run ${name}`])
  ];
}

function outcome(record: CellRecord): string {
  if (record.outcome === 'ok') {
    return 'Succeeded';
  }
  return record.outcome === 'interrupted' ? 'Interrupted' : `Failed with ${record.error?.type ?? 'an error'}`;
}
