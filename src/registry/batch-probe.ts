import type { EngineResult } from '../native/engine.js';
import { WarmswapError } from '../rpc/errors.js';
import type { Tensor } from '../rpc/tensor.js';
import { difference } from './compare-tensors.js';
import { joinRows, probeRow } from './probe-tensors.js';
import type { Version } from './version.js';

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Proves that a loaded version answers a batch of two rows as it answers each row alone. Rejects with
 * FAILED_PRECONDITION and the reason if it does not, or if it does not take such rows.
 */
export async function probeBatching(version: Version): Promise<void> {
  const [first, second] = [probeInputs(version, 0), probeInputs(version, 1)];
  const both = mapTensors(first, (tensor, name) => joinRows([tensor, second[name] as Tensor]));
  const alone = [await run(version, first), await run(version, second)] as const;
  const together = await run(version, both);
  for (const [name, got] of Object.entries(together)) {
    const [top, bottom] = alone.map((outputs) => outputs[name]) as [Tensor, Tensor];
    const problem =
      rowsProblem(top) ?? rowsProblem(bottom) ?? difference(joinRows([top, bottom]), got);
    if (problem) throw refusal(`output '${name}' of two rows differs from two runs: ${problem}`);
  }
}

function rowsProblem({ shape }: Tensor): string | undefined {
  return shape[0] === 1 ? undefined : `one row gives the shape [${shape.join(', ')}]`;
}

function probeInputs(version: Version, row: number): Tensors {
  const { shapes } = version.plan.options.warmup;
  return Object.fromEntries(
    version.signature.inputs.map((input) => {
      const given = Object.hasOwn(shapes, input.name) ? shapes[input.name] : undefined;
      return [input.name, probeRow(input, row, given)];
    }),
  );
}

function mapTensors(tensors: Tensors, map: (tensor: Tensor, name: string) => Tensor): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, map(tensor, name)]),
  );
}

async function run(version: Version, inputs: Tensors): Promise<EngineResult['outputs']> {
  try {
    return (await version.infer({ inputs })).outputs;
  } catch (error) {
    throw refusal(
      `${(error as Error).message}. If the model needs other shapes, set warmup.shapes in model.yaml`,
    );
  }
}

function refusal(reason: string): WarmswapError {
  return new WarmswapError('FAILED_PRECONDITION', `batch probe: ${reason}`);
}
