import { element } from './element';
import { countFindings, findingList, gravest } from './finding';
import { absoluteTime, count, duration, metric, relativeTime } from './format';
import { icon } from './icon';
import type { RunStatus, RunSummary } from './records';

const METRICS_SHOWN = 4;

const STATUS = {
  RUNNING: 'running',
  FINISHED: 'finished',
  FAILED: 'failed',
  KILLED: 'killed'
} as const satisfies Record<RunStatus, string>;

/** One run as an element; what can be long is folded. */
export function runCard(run: RunSummary): HTMLElement {
  const status = STATUS[run.status];
  return element('li', { class: `cellops-run cellops-${status}`, attributes: { 'data-run': run.run } }, [
    element('div', { class: 'cellops-run-head' }, [
      icon(status),
      element('h3', { class: 'cellops-run-name', text: run.name, title: run.name }),
      element('time', {
        class: 'cellops-when',
        title: `Started ${absoluteTime(run.started)}`,
        attributes: { datetime: new Date(run.started * 1000).toISOString() }
      })
    ]),
    facts(run, status),
    ...metrics(run),
    ...unsynced(run),
    ...parameters(run),
    ...findings(run)
  ]);
}

/** Bring what depends on the clock up to date; `now` in seconds since the epoch. */
export function setClock(card: HTMLElement, run: RunSummary, now: number): void {
  const when = card.querySelector('.cellops-when');
  if (when) {
    when.textContent = relativeTime(run.started, now);
  }
  const lasted = card.querySelector('.cellops-duration');
  if (lasted && (run.ended !== null || run.status === 'RUNNING')) {
    lasted.textContent = duration(Math.max(0, (run.ended ?? now) - run.started));
  }
}

function facts(run: RunSummary, status: string): HTMLElement {
  return element('p', { class: 'cellops-facts' }, [
    element('span', { class: 'cellops-status', text: status }),
    element('span', { class: 'cellops-duration' }),
    element('code', { text: run.run.slice(0, 8), title: `Run ${run.run}` }),
    ...models(run),
    ...proof(run),
    ...(run.notebook ? [element('span', { text: fileName(run.notebook), title: run.notebook })] : [])
  ]);
}

function models(run: RunSummary): HTMLElement[] {
  const names = Object.keys(run.models);
  return names.length
    ? [element('span', { text: 'model', title: `Holds the fitted ${names.join(', ')}` })]
    : [];
}

function proof(run: RunSummary): HTMLElement[] {
  if (!run.proof) {
    return [];
  }
  const diverged = run.proof === 'diverged';
  return [
    element('span', {
      class: `cellops-proof-mark ${diverged ? 'cellops-other' : 'cellops-same'}`,
      text: `${diverged ? '✗' : '✓'} ${run.proof}`,
      title: `Executed again, it came out ${run.proof}: %mlops verify ${run.run.slice(0, 8)}`
    })
  ];
}

function metrics(run: RunSummary): HTMLElement[] {
  const all = Object.entries(run.metrics);
  const rest = all.slice(METRICS_SHOWN);
  const shown = table('cellops-metrics', all.slice(0, METRICS_SHOWN));
  const folded = fold('metrics', count(rest.length, 'more metric'), table('cellops-metrics', rest));
  return [...(all.length ? [shown] : []), ...(rest.length ? [folded] : [])];
}

function table(name: string, entries: readonly [string, number | null][]): HTMLElement {
  const rows = entries.map(([key, value]) =>
    element('div', {}, [
      element('dt', { text: key, title: key }),
      element('dd', { text: metric(value), title: String(value) })
    ])
  );
  return element('dl', { class: name }, rows);
}

function unsynced(run: RunSummary): HTMLElement[] {
  if (run.synced || run.status === 'RUNNING') {
    return [];
  }
  return [
    element('p', { class: 'cellops-unsynced' }, [
      'On its way to MLflow when this was shown. If it does not arrive there, run ',
      element('code', { text: 'cellops sync' }),
      '.'
    ])
  ];
}

function parameters(run: RunSummary): HTMLElement[] {
  const entries = Object.entries(run.parameters);
  if (!entries.length) {
    return [];
  }
  const rows = entries.map(([key, value]) =>
    element('div', {}, [
      element('dt', { text: key }),
      element('dd', { text: Array.isArray(value) ? `[${value.join(', ')}]` : String(value) || '""' })
    ])
  );
  const list = element('dl', { class: 'cellops-parameters' }, rows);
  return [fold('parameters', count(entries.length, 'parameter'), list)];
}

function findings(run: RunSummary): HTMLElement[] {
  if (!run.findings.length) {
    return [];
  }
  const severity = gravest(run.findings);
  const folded = fold('findings', countFindings(run.findings), findingList(run.findings));
  folded.open = severity === 'error';
  folded.classList.add(`cellops-${severity}`);
  folded.querySelector('summary')?.append(icon(severity));
  return [folded];
}

function fold(name: string, title: string, content: HTMLElement): HTMLDetailsElement {
  const summary = element('summary', {}, [element('span', { text: title })]);
  return element('details', { class: 'cellops-fold', attributes: { 'data-fold': name } }, [summary, content]);
}

function fileName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}
