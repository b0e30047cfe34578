/** The door for anywidget: the queue of a reviewer wherever widgets are shown. */

import type { ReviewMessage, ReviewState } from './core/review';
import { ReviewCard } from './core/review';

interface Model {
  get(name: 'state'): ReviewState;
  on(event: 'change:state', callback: () => void): void;
  off(event: 'change:state', callback: () => void): void;
  send(message: ReviewMessage): void;
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const card = new ReviewCard(message => {
    model.send(message);
  });
  const show = (): void => {
    card.show(model.get('state'));
  };
  show();
  el.append(card.node);
  model.on('change:state', show);
  return () => {
    model.off('change:state', show);
  };
}

export default { render };
