import { element } from './element';
import { count } from './format';
import { icon } from './icon';
import type { Finding, Severity } from './records';

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** The gravest severity among findings. */
export function gravest(findings: readonly Finding[]): Severity {
  return ORDER.find(severity => findings.some(finding => finding.severity === severity)) ?? 'info';
}

/** "2 findings, 1 for information": as every screen counts them. */
export function countFindings(findings: readonly Finding[]): string {
  const serious = findings.filter(finding => finding.severity !== 'info').length;
  const others = findings.length - serious;
  return [
    ...(serious ? [count(serious, 'finding')] : []),
    ...(others ? [`${others} for information`] : [])
  ].join(', ');
}

/** Findings as a list, the gravest first: severity, place, what was seen, what to do; `here` goes without saying. */
export function findingList(findings: readonly Finding[], here = ''): HTMLElement {
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return element(
    'ul',
    { class: 'cellops-findings' },
    sorted.map(finding => findingItem(finding, here))
  );
}

function findingItem(finding: Finding, here: string): HTMLElement {
  const where = finding.where === here ? '' : finding.where.replace(here && `${here}, `, '');
  return element('li', { class: `cellops-finding cellops-${finding.severity}`, title: finding.code }, [
    icon(finding.severity),
    element('div', {}, [
      element('p', { class: 'cellops-seen' }, [
        element('strong', { text: finding.severity }),
        `${where && ` · ${where}`}: ${finding.seen}`
      ]),
      element('p', { class: 'cellops-remedy', text: finding.remedy })
    ])
  ]);
}
