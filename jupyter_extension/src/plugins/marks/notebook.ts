import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { element } from '../../core/element';
import { markCard, markOf, type Mark } from '../../core/mark';
import type { Popup } from '../../core/popup';
import type { CellRecord } from '../../core/records';
import type { Message } from '../../kernel';

const FADE_MILLISECONDS = 800;
const CLASS = 'cellops-mark';

/** The marks of one notebook: what its kernel told of each cell, kept in agreement with the page. */
export class NotebookMarks {
  private readonly records = new Map<string, CellRecord>();
  private readonly runNames = new Map<string, string>();
  private readonly shown = new WeakMap<HTMLElement, Mark>();
  private scheduled = false;

  constructor(
    private readonly panel: NotebookPanel,
    private readonly popup: Popup
  ) {
    const schedule = (): void => {
      this.schedule();
    };
    void panel.context.ready.then(() => {
      panel.content.model?.cells.changed.connect(schedule);
      panel.content.modelContentChanged.connect(schedule);
      schedule();
    });
  }

  take(message: Message): void {
    switch (message.event) {
      case 'trail':
        this.records.clear();
        message.records.forEach(record => {
          this.keep(record);
        });
        break;
      case 'cell':
        this.keep(message.record);
        break;
      case 'run':
        this.runNames.set(message.summary.run, message.summary.name);
        break;
    }
    this.schedule();
  }

  /** The kernel is gone: its trail says nothing of the next one. */
  forget(): void {
    this.records.clear();
    this.schedule();
  }

  private keep(record: CellRecord): void {
    if (record.cell_id !== null) {
      this.records.set(record.cell_id, record);
    }
  }

  /** Draw once a frame, however many keystrokes and messages there were. */
  private schedule(): void {
    if (this.scheduled) {
      return;
    }
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      if (!this.panel.isDisposed) {
        this.panel.content.widgets.forEach(cell => {
          this.draw(cell);
        });
      }
    });
  }

  private draw(cell: Cell): void {
    const place = cell.inputArea?.node;
    const record = this.records.get(cell.model.id);
    if (!place) {
      if (record) {
        // A cell outside the window of a long notebook has no input area until it is scrolled to.
        void cell.ready.then(() => {
          this.schedule();
        });
      }
      return;
    }
    const shown = place.querySelector<HTMLElement>(`:scope > .${CLASS}:not(.cellops-mark-past)`);
    if (record) {
      const name = record.run === null ? null : (this.runNames.get(record.run) ?? null);
      const mark = markOf(record, cell.model.sharedModel.getSource(), name);
      this.put(shown ?? this.make(place, mark), mark);
    } else if (shown) {
      fade(shown);
    }
  }

  private make(place: HTMLElement, mark: Mark): HTMLElement {
    const node = place.appendChild(element('span', { attributes: { role: 'img', tabindex: '0' } }));
    this.popup.attach(node, () => markCard(this.shown.get(node) ?? mark));
    return node;
  }

  private put(node: HTMLElement, mark: Mark): void {
    const changed = this.shown.get(node)?.text !== mark.text;
    this.shown.set(node, mark);
    node.className = `${CLASS} ${CLASS}-${mark.kind}`;
    node.setAttribute('aria-label', mark.text);
    if (changed) {
      this.popup.renew(node, () => markCard(mark));
    }
  }
}

function fade(node: HTMLElement): void {
  node.classList.add('cellops-mark-past');
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const animation = node.animate([{ opacity: 1 }, { opacity: 0 }], {
    duration: still ? 0 : FADE_MILLISECONDS
  });
  animation.onfinish = () => {
    node.remove();
  };
}
