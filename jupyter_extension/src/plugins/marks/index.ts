import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { Popup } from '../../core/popup';
import { IKernels } from '../../kernel';
import { NotebookMarks } from './notebook';

export const marks: JupyterFrontEndPlugin<void> = {
  id: '@cellops/labextension:marks',
  description: 'A quiet mark on every captured cell.',
  autoStart: true,
  requires: [INotebookTracker, IKernels],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker, kernels: IKernels) => {
    const popup = new Popup();
    const all = new WeakMap<NotebookPanel, NotebookMarks>();
    const watch = (panel: NotebookPanel): void => {
      all.set(panel, new NotebookMarks(panel, popup));
    };
    tracker.forEach(watch);
    tracker.widgetAdded.connect((_, panel) => {
      watch(panel);
    });
    kernels.told.connect((_, { panel, message }) => {
      all.get(panel)?.take(message);
    });
    kernels.ended.connect((_, panel) => {
      all.get(panel)?.forget();
    });
  }
};
