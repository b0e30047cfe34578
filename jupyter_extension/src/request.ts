/** The only way to HTTP: the handlers of `cellops.labserver`, behind the server's own authentication. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

const TIMEOUT_MILLISECONDS = 60_000;

/** What went wrong and what to do about it, both for a person. */
export class RequestError extends Error {
  constructor(
    message: string,
    readonly remedy: string
  ) {
    super(message);
  }
}

export async function request<T>(path: string, query: Record<string, string | number>): Promise<T> {
  const settings = ServerConnection.makeSettings();
  const fields = Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]));
  const url = URLExt.join(settings.baseUrl, 'cellops', path) + URLExt.objectToQueryString(fields);
  const init = { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) };
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch {
    throw new RequestError('The Jupyter server does not answer', 'It is asked again by itself');
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return (await response.json()) as T;
}

async function refusal(response: Response): Promise<RequestError> {
  const body = (await response.json().catch(() => ({}))) as { message?: string; remedy?: string };
  if (response.status === 404 && !body.remedy) {
    const remedy = 'Run: jupyter server extension enable cellops.labserver; then restart the server';
    return new RequestError('The server extension of cellops is not enabled', remedy);
  }
  const message = body.message ?? `The Jupyter server answered ${response.status} ${response.statusText}`;
  return new RequestError(message, body.remedy ?? "See the Jupyter server's log");
}
