import { element } from './element';

type Value = string | number | boolean | null;

/** As `cellops.records.review` has them. */
export interface ReviewState {
  model: string;
  target: string;
  reviewer: string;
  row: ReviewRow | null;
  choices: { label: Value; key: string; probability: number | null }[];
  labelled: number;
  skipped: number;
  left: number;
  said: string;
}

interface ReviewRow {
  prediction_id: string;
  time: string;
  answer: Value;
  why: string;
  inputs: { name: string; value: Value; note: string }[];
  before: Value;
}

export type ReviewMessage = { do: 'label'; label: Value } | { do: 'skip' | 'undo' | 'finish' };

/** One row with a button and a key for each label; what is done goes to the kernel, and a new state comes back. */
export class ReviewCard {
  readonly node = element('div', {
    class: 'cellops-review',
    // JupyterLab would take keys of its own: 1 makes a heading of the cell.
    attributes: { tabindex: '0', role: 'group', 'aria-label': 'Review', 'data-lm-suppress-shortcuts': 'true' }
  });
  private readonly said = element('p', { class: 'cellops-review-said', attributes: { role: 'status' } });
  private readonly body = element('div');
  private state: ReviewState | null = null;
  private waits = false;

  constructor(private readonly send: (message: ReviewMessage) => void) {
    this.node.append(this.body, this.said);
    this.node.addEventListener('keydown', event => {
      this.press(event);
    });
  }

  show(state: ReviewState): void {
    const typing = this.body.contains(document.activeElement);
    this.state = state;
    this.waits = false;
    this.body.replaceChildren(
      this.head(state),
      ...(state.row ? [this.row(state, state.row)] : []),
      this.buttons(state)
    );
    this.said.textContent = [state.said, state.left ? '' : 'Nothing waits any more.']
      .filter(Boolean)
      .join(' · ');
    if (typing) {
      (this.body.querySelector('input') ?? this.node).focus();
    }
  }

  /** Nothing is sent twice: a second key before the answer would label a row that nobody has seen. */
  private do(message: ReviewMessage): void {
    if (!this.waits) {
      this.waits = true;
      this.send(message);
    }
  }

  private press(event: KeyboardEvent): void {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const choice = this.state?.choices.find(each => each.key && each.key === event.key);
    if (choice && this.state?.row) {
      this.do({ do: 'label', label: choice.label });
    } else if (event.key === 's' && this.state?.row) {
      this.do({ do: 'skip' });
    } else if (event.key === 'u') {
      this.do({ do: 'undo' });
    } else {
      return;
    }
    event.preventDefault();
  }

  private head(state: ReviewState): HTMLElement {
    const counts = `${state.left} wait · ${state.labelled} labelled · ${state.skipped} skipped · ${state.reviewer}`;
    return element('p', { class: 'cellops-review-head' }, [
      element('b', { text: state.model }),
      ` ${counts}`
    ]);
  }

  private row(state: ReviewState, row: ReviewRow): HTMLElement {
    const inputs = row.inputs.map(each =>
      element('tr', {}, [
        element('th', { text: each.name, attributes: { scope: 'row' } }),
        element('td', {
          text: each.value === null ? each.note : String(each.value),
          ...(each.value === null ? { class: 'cellops-review-quiet' } : {})
        })
      ])
    );
    const before = row.before === null ? '' : ` · labelled ${String(row.before)} before`;
    return element('div', {}, [
      element('p', { class: 'cellops-review-quiet', text: `${row.prediction_id} · ${row.time}` }),
      element('table', {}, inputs),
      element('p', { class: 'cellops-review-answer' }, [
        element('b', { text: state.target }),
        `: answered ${String(row.answer)} · ${row.why}${before}`
      ])
    ]);
  }

  private buttons(state: ReviewState): HTMLElement {
    const button = (text: string, key: string, message: ReviewMessage): HTMLElement => {
      const made = element('button', { text, attributes: { type: 'button' } });
      if (key) {
        made.prepend(element('kbd', { text: key }), ' ');
      }
      made.addEventListener('click', () => {
        this.do(message);
        this.node.focus();
      });
      return made;
    };
    const labels = state.choices.map(({ label, key, probability }) => {
      const chance = probability === null ? '' : ` ${probability.toFixed(2)}`;
      return button(`${String(label)}${chance}`, key, { do: 'label', label });
    });
    const answering = state.choices.length ? labels : [this.number(state)];
    return element('div', { class: 'cellops-review-buttons' }, [
      ...(state.row ? [...answering, button('Skip', 's', { do: 'skip' })] : []),
      button('Undo', 'u', { do: 'undo' }),
      button('Finish', '', { do: 'finish' })
    ]);
  }

  private number(state: ReviewState): HTMLElement {
    const field = element('input', {
      attributes: {
        type: 'text',
        inputmode: 'decimal',
        'aria-label': state.target,
        placeholder: 'Number, then Enter'
      }
    });
    field.addEventListener('keydown', event => {
      if (event.key === 'Enter' && field.value.trim()) {
        this.do({ do: 'label', label: field.value });
      }
    });
    return field;
  }
}
