import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { requireMemory } from '../../src/registry/host-memory.js';

test('what the host can give is granted', async () => {
  await expect(requireMemory(1)).resolves.toBeUndefined();
});

test('what it cannot give is refused with the numbers', async () => {
  await expect(requireMemory(totalmem() * 2)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: expect.stringMatching(/takes about \d+ bytes .* has \d+ available/) as string,
  });
});
