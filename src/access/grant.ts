import { WarmswapError } from '../rpc/errors.js';

export type Scope = 'infer' | 'admin';

/** A token as the daemon knows it. */
export interface TokenSettings {
  name: string;
  /** Of the token, in hexadecimal digits. */
  sha256: string;
  scopes: readonly Scope[];
  /** All if left out. */
  models?: readonly string[];
}

/** What one caller may use. Immutable. */
export class Grant {
  readonly #models: ReadonlySet<string> | undefined;

  /** `token` is what the caller has brought; none is asked for otherwise. */
  constructor(readonly token?: TokenSettings) {
    this.#models = token?.models && new Set(token.models);
  }

  /** Some models are not allowed. */
  get isRestricted(): boolean {
    return this.#models !== undefined;
  }

  allows(model: string): boolean {
    return this.#models?.has(model) ?? true;
  }

  /** Throws PERMISSION_DENIED whether there is such a model or not, so that nothing is learnt of others. */
  require(model: string): void {
    if (this.allows(model)) return;
    const allowed = [...(this.#models ?? [])].join(', ');
    throw new WarmswapError(
      'PERMISSION_DENIED',
      `this token does not allow the model '${model}'; it allows: ${allowed}`,
    );
  }
}

/** The grant of those who need no token. */
export const OPEN = new Grant();
