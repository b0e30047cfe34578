import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';

import { IKernels } from '../../kernel';

export const live: JupyterFrontEndPlugin<void> = {
  id: '@cellops/labextension:live',
  description: 'Tells kernels how their notebooks stand on the page, saved or not.',
  autoStart: true,
  requires: [INotebookTracker, IKernels],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker, kernels: IKernels) => {
    const told = new WeakMap<NotebookPanel, string>();
    const tell = (panel: NotebookPanel): void => {
      const cells = codeCells(panel);
      const text = JSON.stringify(cells);
      if (told.get(panel) !== text && kernels.send(panel, { event: 'notebook', cells })) {
        told.set(panel, text);
      }
    };
    kernels.joined.connect((_, panel) => {
      told.delete(panel);
      void panel.context.ready.then(() => {
        tell(panel);
      });
    });
    NotebookActions.executionScheduled.connect((_, { notebook }) => {
      const panel = tracker.find(one => one.content === notebook);
      if (panel) {
        tell(panel);
      }
    });
  }
};

/** The code cells in their order: what a kernel compares with what it has executed. */
function codeCells(panel: NotebookPanel): { id: string; source: string }[] {
  return [...(panel.content.model?.cells ?? [])]
    .filter(cell => cell.type === 'code')
    .map(cell => ({ id: cell.id, source: cell.sharedModel.getSource() }));
}
