import { coreCount, separateCores } from './affinity.js';
import { runLoad, type Duration, type LoadOptions, type LoadResult } from './load.js';
import type { BenchModel } from './models.js';
import type { PreparedRequest } from './requests.js';
import type { StartOptions } from './server.js';

/** Loads of rows with one server process: the client on its own core, no request may fail. */

/** The connections of DESIGN §8's throughput rows. */
export const MANY_CLIENTS = 32;

export async function oneClient(
  url: string,
  request: PreparedRequest,
  duration: Duration,
): Promise<LoadResult> {
  return flawless(await runLoad({ url, request, connections: 1, cpus: clientCpu() }, duration));
}

/** Each sends its next request when it has the answer. */
export async function manyClients(
  url: string,
  request: PreparedRequest,
  duration: Duration,
): Promise<LoadResult> {
  const options = { url, request, connections: MANY_CLIENTS, cpus: clientCpu() };
  return flawless(await runLoad(options, duration));
}

export function manyClientsOptions(url: string, request: PreparedRequest): LoadOptions {
  return { url, request, connections: MANY_CLIENTS, cpus: clientCpu() };
}

/** Throws if a request failed: a figure made from errors is none. */
export function flawless(result: LoadResult): LoadResult {
  const { requests, failures, badAnswers, lost } = result;
  if (failures === 0 && requests > 0) return result;
  throw new Error(`${requests} good answers, ${badAnswers} bad ones, ${lost} lost`);
}

/** What is to be known of the client in these measurements. */
export function clientNotes(results: readonly LoadResult[]): string[] {
  const highest = Math.max(...results.map((result) => result.clientShare));
  if (!results.some((result) => result.clientSaturated)) return [];
  return [`client saturated (${Math.round(highest * 100)} % of its core)`];
}

/** A peer on the server's core, with as many workers as that has cores. */
export function pinned(model: BenchModel): StartOptions {
  const cpus = serverCpu();
  return { model, workers: coreCount(cpus), cpus };
}

export const serverCpu = () => separateCores?.server;
export const clientCpu = () => separateCores?.client;
