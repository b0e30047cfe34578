/** What the kernels of open notebooks and the page tell each other, over the comm target `cellops`. */

import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { KernelMessage, type Kernel } from '@jupyterlab/services';
import { Token, type JSONObject } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';

import type { CellRecord, RunSummary } from './core/records';

const TARGET = 'cellops';

export type Message =
  | { event: 'trail'; records: CellRecord[] }
  | { event: 'cell'; record: CellRecord }
  | { event: 'run'; summary: RunSummary };

export interface Told {
  panel: NotebookPanel;
  message: Message;
}

export interface IKernels {
  readonly told: ISignal<IKernels, Told>;
  /** The kernel of a notebook restarted, died or was replaced: what it told is past. */
  readonly ended: ISignal<IKernels, NotebookPanel>;
  /** The kernel of a notebook has cellops and can be told something. */
  readonly joined: ISignal<IKernels, NotebookPanel>;
  /** Tell the kernel of a notebook something; whether it has cellops and could be told. */
  send(panel: NotebookPanel, data: JSONObject): boolean;
}

export const IKernels = new Token<IKernels>(
  '@cellops/labextension:IKernels',
  'What kernels tell of cells and runs.'
);

class Kernels implements IKernels {
  readonly told = new Signal<this, Told>(this);
  readonly ended = new Signal<this, NotebookPanel>(this);
  readonly joined = new Signal<this, NotebookPanel>(this);
  private readonly comms = new WeakMap<NotebookPanel, Kernel.IComm>();

  /** A comm would send over a subshell, past the cells that wait; this arrives before what is executed next. */
  send(panel: NotebookPanel, data: JSONObject): boolean {
    const kernel = panel.sessionContext.session?.kernel;
    const comm = this.comms.get(panel);
    if (!kernel || !comm) {
      return false;
    }
    const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<'shell'>>({
      msgType: 'comm_msg',
      channel: 'shell',
      content: { comm_id: comm.commId, data },
      session: kernel.clientId,
      username: kernel.username
    });
    kernel.sendShellMessage(message, false, true);
    return true;
  }

  watch(panel: NotebookPanel): void {
    const context = panel.sessionContext;
    context.kernelChanged.connect((_, { oldValue, newValue }) => {
      if (oldValue) {
        this.end(panel);
      }
      this.attach(panel, newValue);
    });
    context.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
        this.end(panel);
      }
    });
    this.attach(panel, context.session?.kernel ?? null);
  }

  private end(panel: NotebookPanel): void {
    this.comms.delete(panel);
    this.ended.emit(panel);
  }

  private attach(panel: NotebookPanel, kernel: Kernel.IKernelConnection | null): void {
    if (!kernel?.handleComms) {
      return;
    }
    kernel.registerCommTarget(TARGET, (comm, opened) => {
      this.listen(panel, comm);
      this.tell(panel, opened.content.data);
    });
    // The request is abandoned when the kernel goes away before it answers.
    void this.rejoin(panel, kernel).catch(() => undefined);
  }

  /**
   * Listen to a kernel that runs already: it goes on sending over the comm that it opened to an earlier page.
   * The runs and then the trail so far come over one more comm, which is closed again: reloads pile up no copies.
   * A kernel without cellops has no such comm and is left in peace.
   */
  private async rejoin(panel: NotebookPanel, kernel: Kernel.IKernelConnection): Promise<void> {
    const { content } = await kernel.requestCommInfo({ target_name: TARGET });
    const open = content.status === 'ok' ? Object.keys(content.comms).filter(id => !kernel.hasComm(id)) : [];
    if (!open.length) {
      return;
    }
    for (const id of open) {
      this.listen(panel, kernel.createComm(TARGET, id));
    }
    const asking = kernel.createComm(TARGET);
    asking.onMsg = received => {
      const { data } = received.content;
      this.tell(panel, data);
      if (data['event'] === 'trail') {
        asking.close();
      }
    };
    asking.open();
  }

  private listen(panel: NotebookPanel, comm: Kernel.IComm): void {
    comm.onMsg = (received: KernelMessage.ICommMsgMsg) => {
      this.tell(panel, received.content.data);
    };
    comm.onClose = () => {
      if (this.comms.get(panel) === comm) {
        this.comms.delete(panel);
      }
    };
    this.comms.set(panel, comm);
    this.joined.emit(panel);
  }

  private tell(panel: NotebookPanel, data: unknown): void {
    if (!panel.isDisposed && isMessage(data)) {
      this.told.emit({ panel, message: data });
    }
  }
}

/** A kernel may run an older or newer cellops; what it says beyond these messages is not for this page. */
function isMessage(data: unknown): data is Message {
  const message = data as Partial<Record<string, unknown>> | null;
  switch (message?.['event']) {
    case 'trail':
      return Array.isArray(message['records']);
    case 'cell':
      return typeof message['record'] === 'object';
    case 'run':
      return typeof message['summary'] === 'object';
    default:
      return false;
  }
}

export const kernels: JupyterFrontEndPlugin<IKernels> = {
  id: '@cellops/labextension:kernels',
  description: 'Listens to the kernels of open notebooks.',
  autoStart: true,
  provides: IKernels,
  requires: [INotebookTracker],
  activate: (_app, tracker: INotebookTracker) => {
    const all = new Kernels();
    tracker.forEach(panel => {
      all.watch(panel);
    });
    tracker.widgetAdded.connect((_, panel) => {
      all.watch(panel);
    });
    return all;
  }
};
