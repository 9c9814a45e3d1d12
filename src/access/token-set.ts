import { createHash, timingSafeEqual } from 'node:crypto';
import { WarmswapError } from '../rpc/errors.js';
import { Grant, OPEN, type Scope, type TokenSettings } from './grant.js';

interface Entry {
  digest: Buffer;
  grant: Grant;
}

/** The tokens of one moment, of which it holds only hashes. Immutable. */
export class TokenSet {
  readonly #entries: readonly Entry[];
  readonly #asked: ReadonlySet<Scope>;

  constructor(tokens: readonly TokenSettings[]) {
    this.#entries = tokens.map((token) => ({
      digest: Buffer.from(token.sha256, 'hex'),
      grant: new Grant(token),
    }));
    this.#asked = new Set(tokens.flatMap(({ scopes }) => scopes));
  }

  /** Whether callers need a token for this: as soon as there is one. */
  asksFor(scope: Scope): boolean {
    return this.#asked.has(scope);
  }

  /**
   * What whoever brings this token may use. Throws UNAUTHENTICATED for none and for one that is not
   * known, PERMISSION_DENIED for one of another scope. Its time tells nothing of the tokens. `instead`
   * says what came where there is none.
   */
  admit(scope: Scope, token: string | undefined, instead = 'none'): Grant {
    if (!this.asksFor(scope)) return OPEN;
    if (token === undefined) {
      const reason = `expected the header 'Authorization: Bearer TOKEN', got ${instead}`;
      throw new WarmswapError('UNAUTHENTICATED', reason);
    }
    const grant = this.#find(createHash('sha256').update(token).digest());
    if (!grant) throw new WarmswapError('UNAUTHENTICATED', 'the token is not known');
    if (hasScope(grant, scope)) return grant;
    throw new WarmswapError('PERMISSION_DENIED', `the token has not the scope '${scope}'`);
  }

  /** What a caller whom another set has admitted may use by this one; nothing if it would not be. */
  readmit(scope: Scope, { token }: Grant): Grant | undefined {
    if (!this.asksFor(scope)) return OPEN;
    const grant = token && this.#find(Buffer.from(token.sha256, 'hex'));
    return grant && hasScope(grant, scope) ? grant : undefined;
  }

  /** Compares with each of them, whichever it is. */
  #find(digest: Buffer): Grant | undefined {
    let found: Grant | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.digest, digest)) found = entry.grant;
    }
    return found;
  }
}

function hasScope({ token }: Grant, scope: Scope): boolean {
  return token?.scopes.includes(scope) ?? false;
}
