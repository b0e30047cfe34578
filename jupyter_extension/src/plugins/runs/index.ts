import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';

import { IKernels } from '../../kernel';
import { RunsPanel } from './panel';

export const runs: JupyterFrontEndPlugin<void> = {
  id: '@cellops/labextension:runs',
  description: 'A panel that lists runs while they happen.',
  autoStart: true,
  requires: [INotebookTracker, IKernels],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker, kernels: IKernels) => {
    const panel = new RunsPanel(() => {
      const notebook = tracker.currentWidget?.context.path ?? '';
      return PathExt.dirname(app.serviceManager.contents.localPath(notebook));
    });
    kernels.told.connect((_, { panel: notebook, message }) => {
      if (message.event === 'run') {
        panel.push(message.summary, notebook === tracker.currentWidget);
      }
    });
    tracker.currentChanged.connect(() => {
      panel.refresh();
    });
    app.shell.add(panel, 'left', { rank: 620, type: 'cellops' });
  }
};
