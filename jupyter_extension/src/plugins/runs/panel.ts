import { type IPoll, Poll } from '@lumino/polling';
import { Widget } from '@lumino/widgets';

import { element } from '../../core/element';
import { icon } from '../../core/icon';
import type { RunSummary } from '../../core/records';
import { RunsList } from '../../core/runs';
import { request, RequestError } from '../../request';
import { runsIcon } from './icon';
import { Latest } from './latest';

const LIMIT = 50;
const INTERVAL_MILLISECONDS = 10_000;
const SOON_MILLISECONDS = 2_000;
const MOST_MILLISECONDS = 60_000;

interface Answer {
  project: string;
  runs: RunSummary[];
}

/** How often the server is asked; less often while it does not answer. */
function frequency(interval: number): IPoll.Frequency {
  return { interval, backoff: true, max: MOST_MILLISECONDS };
}

/** The left panel: asks the server while it can be seen, and shows at once what a kernel tells. */
export class RunsPanel extends Widget {
  private readonly list = new RunsList();
  private readonly project = element('span', { class: 'cellops-project' });
  private readonly notice = element('div', { class: 'cellops-notice', attributes: { role: 'status' } });
  private readonly latest = new Latest();
  private readonly poll: Poll;
  private asking = false;
  private askAgain = false;

  /** `folder` tells in which folder of the server the person works; its project is the one shown. */
  constructor(private readonly folder: () => string) {
    super();
    this.id = 'cellops-runs';
    this.addClass('cellops-panel');
    this.title.icon = runsIcon;
    this.title.caption = 'Runs';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Runs');
    this.node.append(
      element('header', { class: 'cellops-header' }, [element('h2', { text: 'Runs' }), this.project]),
      this.notice,
      this.list.node
    );
    this.list.node.hidden = true;
    this.say('Looking for runs …');
    this.poll = new Poll({
      auto: false,
      factory: () => this.ask(),
      frequency: frequency(INTERVAL_MILLISECONDS),
      name: '@cellops/labextension:runs',
      standby: () => document.hidden || !this.isVisible
    });
    void this.poll.start();
  }

  override dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  /** Show a run that a kernel tells of, when it belongs to the list shown, and ask the server for the rest. */
  push(run: RunSummary, here: boolean): void {
    if (here) {
      this.latest.push(run);
      this.draw();
    }
    this.refresh();
  }

  /** Ask the server now, or as soon as it has answered: questions are never stacked. */
  refresh(): void {
    if (this.asking) {
      this.askAgain = true;
    } else if (this.isVisible) {
      void this.poll.refresh();
    }
  }

  protected override onAfterShow(): void {
    this.refresh();
  }

  private async ask(): Promise<void> {
    const asked = this.latest.mark();
    this.asking = true;
    try {
      const answer = await request<Answer>('runs', { limit: LIMIT, folder: this.folder() });
      this.latest.answer(answer.runs, asked);
      this.project.textContent = answer.project;
      this.notice.replaceChildren();
      this.draw();
      const carrying = answer.runs.some(run => !run.synced && run.status !== 'RUNNING');
      this.poll.frequency = frequency(carrying ? SOON_MILLISECONDS : INTERVAL_MILLISECONDS);
    } catch (error) {
      this.complain(error);
      throw error;
    } finally {
      this.asking = false;
      if (this.askAgain) {
        this.askAgain = false;
        this.refresh();
      }
    }
  }

  private draw(): void {
    if (this.list.node.hidden) {
      this.notice.replaceChildren();
      this.list.node.hidden = false;
    }
    this.list.show(this.latest.runs());
  }

  private say(text: string): void {
    this.notice.replaceChildren(element('p', { text }));
  }

  private complain(error: unknown): void {
    const { message, remedy } =
      error instanceof RequestError ? error : { message: String(error), remedy: 'Reload the page' };
    const again = element('button', { text: 'Try again', attributes: { type: 'button' } });
    again.addEventListener('click', () => {
      this.refresh();
    });
    const kept = this.list.node.hidden ? [] : [element('p', { text: 'The list below may be out of date.' })];
    const told = element('div', {}, [
      element('p', {}, [element('strong', { text: message })]),
      element('p', { text: remedy }),
      ...kept,
      again
    ]);
    this.notice.replaceChildren(icon('warning'), told);
  }
}
