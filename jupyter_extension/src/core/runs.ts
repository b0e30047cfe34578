import { runCard, setClock } from './card';
import { element } from './element';
import { count } from './format';
import type { RunSummary } from './records';

/** A shorter list is read faster than it is filtered. */
const FILTER_FROM = 4;

interface Shown {
  run: RunSummary;
  json: string;
  card: HTMLElement;
}

/** The list of runs: `show` makes the page agree with the records and keeps what is open, typed or focused. */
export class RunsList {
  readonly node = element('div', { class: 'cellops-runs' });
  private readonly filter = element('input', {
    class: 'cellops-filter',
    attributes: {
      type: 'search',
      placeholder: 'Filter runs',
      'aria-label': 'Filter by name, status, key or notebook'
    }
  });
  private readonly list = element('ul', { class: 'cellops-list', attributes: { 'aria-label': 'Runs' } });
  private readonly nothing = element('p', { class: 'cellops-nothing', attributes: { role: 'status' } });
  private readonly empty = emptyState();
  private shown = new Map<string, Shown>();

  constructor() {
    this.node.append(this.filter, this.nothing, this.list, this.empty);
    this.filter.addEventListener('input', () => {
      this.applyFilter();
    });
    this.show([]);
  }

  show(runs: readonly RunSummary[], now = Date.now() / 1000): void {
    const next = new Map<string, Shown>();
    for (const run of runs) {
      next.set(run.run, this.current(run));
    }
    for (const [key, { card }] of this.shown) {
      if (next.get(key)?.card !== card) {
        card.remove();
      }
    }
    this.shown = next;
    [...next.values()].forEach(({ run, card }, index) => {
      setClock(card, run, now);
      if (this.list.children[index] !== card) {
        this.list.insertBefore(card, this.list.children[index] ?? null);
      }
    });
    this.empty.hidden = runs.length > 0;
    this.filter.hidden = runs.length < FILTER_FROM && !this.filter.value;
    this.applyFilter();
  }

  private current(run: RunSummary): Shown {
    const json = JSON.stringify(run);
    const before = this.shown.get(run.run);
    if (before?.json === json) {
      return before;
    }
    const card = runCard(run);
    if (before) {
      before.card.after(card);
      keepFolds(before.card, card);
    }
    return { run, json, card };
  }

  private applyFilter(): void {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let hits = 0;
    for (const { run, card } of this.shown.values()) {
      const text = `${run.name} ${run.status} ${run.run} ${run.notebook ?? ''}`.toLowerCase();
      card.hidden = !words.every(word => text.includes(word));
      hits += card.hidden ? 0 : 1;
    }
    this.nothing.hidden = hits > 0 || !this.shown.size;
    this.nothing.textContent = `None of ${count(this.shown.size, 'run')} matches the filter.`;
  }
}

/** What a person opened stays open, and the focus stays where it was, when a card is drawn anew. */
function keepFolds(before: HTMLElement, after: HTMLElement): void {
  for (const fold of before.querySelectorAll<HTMLDetailsElement>('details')) {
    const same = after.querySelector<HTMLDetailsElement>(
      `details[data-fold="${fold.dataset['fold'] ?? ''}"]`
    );
    if (!same) {
      continue;
    }
    same.open ||= fold.open;
    if (fold.querySelector('summary') === document.activeElement) {
      same.querySelector('summary')?.focus();
    }
  }
}

function emptyState(): HTMLElement {
  const step = (code: string, then: string): HTMLElement =>
    element('li', {}, [element('code', { text: code }), element('span', { text: then })]);
  return element('div', { class: 'cellops-empty' }, [
    element('h3', { text: 'No runs yet' }),
    element('p', { text: 'Two lines make one, in the notebook you already have:' }),
    element('ol', {}, [
      step('%load_ext cellops', 'once, in the first cell'),
      step('%%mlops run', 'as the first line of the cell that trains or evaluates')
    ]),
    element('p', { text: 'Run that cell, and the run appears here by itself.' })
  ]);
}
