import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { element } from '../../core/element';
import { markOf, type Mark } from '../../core/mark';
import type { CellRecord } from '../../core/records';
import type { Message } from '../../kernel';

const FADE_MILLISECONDS = 800;
const CLASS = 'cellops-mark';

/** The marks of one notebook: what its kernel told of each cell, kept in agreement with the page. */
export class NotebookMarks {
  private readonly records = new Map<string, CellRecord>();
  private readonly runNames = new Map<string, string>();
  private scheduled = false;

  constructor(private readonly panel: NotebookPanel) {
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
      put(place, shown, markOf(record, cell.model.sharedModel.getSource(), name));
    } else if (shown) {
      fade(shown);
    }
  }
}

function put(place: HTMLElement, shown: HTMLElement | null, mark: Mark): void {
  const node = shown ?? place.appendChild(element('span', { attributes: { role: 'img' } }));
  node.className = `${CLASS} ${CLASS}-${mark.kind}`;
  node.title = mark.text;
  node.setAttribute('aria-label', mark.text);
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
