import type { TokenSettings } from '../access/grant.js';
import type { AccessSettings } from '../access/settings.js';
import { TokenSet } from '../access/token-set.js';
import type { DaemonConfig } from '../config/schema.js';
import type { Logger } from '../telemetry/log.js';

/** Who may use the daemon, as the configuration says it: the one for both ports. */
export class AccessKeeper {
  #settings: AccessSettings;
  #tokens: TokenSet;

  constructor(
    config: DaemonConfig,
    private readonly log: Logger,
  ) {
    this.#settings = accessSettings(config);
    this.#tokens = new TokenSet(this.#settings.tokens);
  }

  /** What workers get. */
  get settings(): AccessSettings {
    return this.#settings;
  }

  get tokens(): TokenSet {
    return this.#tokens;
  }

  /** Takes over what a configuration says; whether anything is other than before. */
  follow(config: DaemonConfig): boolean {
    const before = this.#settings;
    const next = accessSettings(config);
    if (JSON.stringify(next) === JSON.stringify(before)) return false;
    this.#settings = next;
    this.#tokens = new TokenSet(next.tokens);
    this.log.info(tokenChanges(before.tokens, next.tokens), 'access changed');
    return true;
  }
}

function accessSettings({ auth, admin }: DaemonConfig): AccessSettings {
  const { token } = admin;
  const ofAdmin: TokenSettings[] =
    token === undefined ? [] : [{ name: 'admin.token', sha256: token, scopes: ['admin'] }];
  return { tokens: [...auth.tokens, ...ofAdmin] };
}

/** Their names alone. */
function tokenChanges(before: readonly TokenSettings[], next: readonly TokenSettings[]) {
  const without = (from: readonly TokenSettings[], other: readonly TokenSettings[]) =>
    from.filter(({ sha256 }) => !other.some((each) => each.sha256 === sha256));
  const names = (tokens: readonly TokenSettings[]) => tokens.map(({ name }) => name);
  return {
    addedTokens: names(without(next, before)),
    removedTokens: names(without(before, next)),
  };
}
