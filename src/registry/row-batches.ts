import type { Tensor } from '../rpc/tensor.js';
import { joinRows } from './probe-tensors.js';

/** Batches of any number of rows, made from requests of any number of rows. */

type Inputs = Readonly<Record<string, Tensor>>;

/** Requests whose rows can stand in one batch. */
export type RowGroup = readonly [Inputs, ...Inputs[]];

/** Rows of a request: the first dimension that all inputs have in common; 0 if it has no rows to join. */
export function rowCount(inputs: Inputs): number {
  const tensors = Object.values(inputs);
  const rows = tensors[0]?.shape[0] ?? 0;
  const isJoinable = tensors.every(
    ({ shape, datatype }) => shape[0] === rows && datatype !== 'BYTES',
  );
  return isJoinable ? rows : 0;
}

/** The requests that have rows, those together that differ only in how many. */
export function rowGroups(requests: readonly Inputs[]): readonly RowGroup[] {
  const groups = new Map<string, [Inputs, ...Inputs[]]>();
  for (const request of requests) {
    if (rowCount(request) === 0) continue;
    const group = groups.get(rowForm(request));
    if (group) group.push(request);
    else groups.set(rowForm(request), [request]);
  }
  return [...groups.values()];
}

function rowForm(inputs: Inputs): string {
  const forms = Object.entries(inputs).map(([name, { shape }]) => [name, ...shape.slice(1)]);
  return JSON.stringify(forms.map((form) => JSON.stringify(form)).sort());
}

/** Bytes of one row. */
export function rowBytes([first]: RowGroup): number {
  return Object.values(first).reduce((sum, { data }) => sum + data.length, 0) / rowCount(first);
}

/** A request of so many rows: those of the group in their order, again from the start as needed. */
export function batchOf(group: RowGroup, rows: number): Inputs {
  const parts: Inputs[] = [];
  for (let i = 0, missing = rows; missing > 0; i++) {
    const part = firstRows(group[i % group.length] as Inputs, missing);
    parts.push(part);
    missing -= rowCount(part);
  }
  return mapTensors(group[0], (_, name) =>
    joinRows(parts.map((part) => part[name]) as [Tensor, ...Tensor[]]),
  );
}

/** A view on at most so many rows. */
function firstRows(inputs: Inputs, most: number): Inputs {
  const all = rowCount(inputs);
  const rows = Math.min(all, most);
  return mapTensors(inputs, ({ datatype, shape, data }) => ({
    datatype,
    shape: [rows, ...shape.slice(1)],
    data: (data as Uint8Array).subarray(0, (data.length / all) * rows),
  }));
}

function mapTensors(inputs: Inputs, map: (tensor: Tensor, name: string) => Tensor): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [name, map(tensor, name)]),
  );
}
