import { element } from './element';
import { count } from './format';
import { icon } from './icon';
import type { Finding, Severity } from './records';

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** The gravest severity among findings. */
export function gravest(findings: readonly Finding[]): Severity {
  return ORDER.find(severity => findings.some(finding => finding.severity === severity)) ?? 'info';
}

/** Findings that say the same of several places, once with the places. */
function merged(findings: readonly Finding[]): Finding[] {
  const found = new Map<string, { finding: Finding; places: Set<string> }>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.code, finding.severity, finding.seen, finding.remedy]);
    const known = found.get(key) ?? { finding, places: new Set() };
    found.set(key, { finding, places: known.places.add(finding.where) });
  }
  return [...found.values()].map(({ finding, places }) => ({ ...finding, where: [...places].join(', ') }));
}

/** "2 findings, 1 for information": as every screen counts them. */
export function countFindings(given: readonly Finding[]): string {
  const findings = merged(given);
  const serious = findings.filter(finding => finding.severity !== 'info').length;
  const others = findings.length - serious;
  return [
    ...(serious ? [count(serious, 'finding')] : []),
    ...(others ? [`${others} for information`] : [])
  ].join(', ');
}

/** Findings as a list, the gravest first: severity, place, what was seen, what to do; `here` goes without saying. */
export function findingList(findings: readonly Finding[], here = ''): HTMLElement {
  const sorted = merged(findings).sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
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
