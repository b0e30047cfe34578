/** The records that the kernel and the server send, as `cellops.records` writes them. */

export type Value = string | number | boolean | null;

export type Severity = 'info' | 'warning' | 'error';

export interface Finding {
  code: string;
  severity: Severity;
  where: string;
  seen: string;
  remedy: string;
}

export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';

export interface RunSummary {
  run: string;
  name: string;
  status: RunStatus;
  /** Seconds since the epoch, UTC. */
  started: number;
  ended: number | null;
  notebook: string | null;
  synced: boolean;
  parameters: Record<string, Value | Value[]>;
  /** A metric that is not a number (NaN, infinite) is null in JSON. */
  metrics: Record<string, number | null>;
  findings: Finding[];
  /** Names of the fitted models, with their places in MLflow. */
  models: Record<string, string>;
  /** The verdict of its newest proof, where it has one. */
  proof: 'identical' | 'within tolerance' | 'diverged' | null;
}

export interface CellRecord {
  session: string;
  /** Place on the trail, from 1. */
  order: number;
  /** The number in `In [n]`. */
  execution_count: number | null;
  source: string;
  /** Seconds since the epoch, UTC. */
  started: number;
  /** Seconds. */
  duration: number;
  outcome: 'ok' | 'error' | 'interrupted';
  verb: string | null;
  cell_id: string | null;
  error: { type: string; message: string } | null;
  findings: Finding[];
  run: string | null;
}
