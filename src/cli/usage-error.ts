import { WarmswapError } from '../rpc/errors.js';

/** The user called the command wrongly: exit code 2. */
export class UsageError extends WarmswapError {
  constructor(message: string) {
    super('INVALID_ARGUMENT', message);
    this.name = 'UsageError';
  }
}
