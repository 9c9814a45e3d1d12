import type { Datatype, Tensor } from '../../rpc/tensor.js';
import { dataToJson, isInJson, notInJson } from '../../rpc/tensor-json.js';
import { joinElements } from './bytes-elements.js';
import type { Reply } from './http-error.js';
import type { HttpInferRequest } from './infer-request.js';

/** What an answer is made of. */
export interface InferAnswer {
  model: string;
  version: number;
  /** Of the outputs, in the order in which they are answered. */
  names: readonly string[];
  outputs: Readonly<Record<string, Tensor>>;
}

/** Refuses with INVALID_ARGUMENT, before the run, an answer that JSON cannot hold. */
export function refuseUnanswerable(
  { outputs: asked, isBinary }: HttpInferRequest,
  outputs: readonly { name: string; datatype: Datatype }[],
): void {
  for (const { name, datatype } of outputs) {
    if (isInJson(datatype) || isBinary(name) || asked?.includes(name) === false) continue;
    throw notInJson(`the ${datatype} of output '${name}'`);
  }
}

/** JSON, followed by the data of the binary outputs in their order. Throws what `dataToJson` throws. */
export function inferReply(request: HttpInferRequest, answer: InferAnswer): Reply {
  const binary: Uint8Array[] = [];
  const outputs = answer.names.map((name) => {
    const tensor = answer.outputs[name] as Tensor;
    if (!request.isBinary(name)) return outputText(name, tensor, `"data":${dataToJson(tensor)}`);
    const data = toBinary(tensor);
    binary.push(data);
    return outputText(name, tensor, `"parameters":{"binary_data_size":${data.length}}`);
  });
  const json = head(request.id, answer) + `"outputs":[${outputs.join(',')}]}`;
  return binary.length === 0 ? { status: 200, body: json } : mixedReply(json, binary);
}

function head(id: string | undefined, { model, version }: InferAnswer): string {
  const named = { ...(id === undefined ? {} : { id }), model_name: model };
  return `${JSON.stringify({ ...named, model_version: String(version) }).slice(0, -1)},`;
}

function outputText(name: string, { datatype, shape }: Tensor, rest: string): string {
  return `${JSON.stringify({ name, datatype, shape }).slice(0, -1)},${rest}}`;
}

function toBinary({ data }: Tensor): Uint8Array {
  return data instanceof Uint8Array ? data : joinElements(data);
}

function mixedReply(json: string, binary: readonly Uint8Array[]): Reply {
  const header = Buffer.from(json);
  return {
    status: 200,
    body: [header, ...binary],
    headers: [
      ['Content-Type', 'application/octet-stream'],
      ['Inference-Header-Content-Length', String(header.length)],
    ],
  };
}
