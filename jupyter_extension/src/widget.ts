/** The door for anywidget: the list of runs wherever widgets are shown. */

import type { RunSummary } from './core/records';
import { RunsList } from './core/runs';

interface Model {
  get(name: 'runs'): RunSummary[];
  on(event: 'change:runs', callback: () => void): void;
  off(event: 'change:runs', callback: () => void): void;
}

const CLOCK_MILLISECONDS = 30_000;

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const list = new RunsList();
  const show = (): void => {
    list.show(model.get('runs'));
  };
  show();
  el.append(list.node);
  model.on('change:runs', show);
  const clock = setInterval(show, CLOCK_MILLISECONDS);
  return () => {
    clearInterval(clock);
    model.off('change:runs', show);
  };
}

export default { render };
