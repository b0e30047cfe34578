import type { RunSummary } from '../../core/records';

/**
 * The newest that is known of each run.
 *
 * The server's answer may be older than what a kernel told while it was on its way; such a run keeps what the
 * kernel told until an answer that was asked for later.
 */
export class Latest {
  private answered: readonly RunSummary[] = [];
  private readonly told = new Map<string, { run: RunSummary; turn: number }>();
  private turn = 0;

  /** A place in time, to be given back with the answer to a question asked now. */
  mark(): number {
    return this.turn;
  }

  push(run: RunSummary): void {
    this.turn += 1;
    this.told.set(run.run, { run, turn: this.turn });
  }

  answer(runs: readonly RunSummary[], asked: number): void {
    this.answered = runs;
    for (const [key, { turn }] of this.told) {
      if (turn <= asked) {
        this.told.delete(key);
      }
    }
  }

  /** Every run once, the newest first. */
  runs(): RunSummary[] {
    const all = new Map(this.answered.map(run => [run.run, run]));
    for (const [key, { run }] of this.told) {
      all.set(key, run);
    }
    return [...all.values()].sort((a, b) => b.started - a.started);
  }
}
