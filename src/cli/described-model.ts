import type { Client, ModelDescription } from '../client/index.js';

/** Which version a request is for: at most one of the two; neither is the active one. */
export interface VersionChoice {
  version?: number;
  label?: string;
}

/** The description of the version that answers. A label that there is not is left to the request. */
export async function describeChosen(
  client: Client,
  model: string,
  { version, label }: VersionChoice,
): Promise<ModelDescription> {
  if (label === undefined) return client.describe(model, version);
  const listing = (await client.models()).find(({ name }) => name === model);
  return client.describe(model, listing?.labels[label]);
}
