import type { Grant, TokenSettings } from '../access/grant.js';
import type { AccessSettings, TlsSettings } from '../access/settings.js';
import { TokenSet } from '../access/token-set.js';
import { ConfigError } from '../config/parse.js';
import { isLoopback } from '../config/load.js';
import type { DaemonConfig } from '../config/schema.js';
import type { Logger } from '../telemetry/log.js';
import { readCertificate, type CertificateFiles } from './certificate.js';

/** Who may use the daemon, as the configuration says it: the one for both ports. */
export class AccessKeeper {
  #settings: AccessSettings;
  #tokens: TokenSet;
  /** By what ends it: calls of the admin port that last. */
  readonly #lasting = new Map<() => void, Grant>();

  /** Throws ConfigError for a certificate that cannot be used. */
  constructor(
    config: DaemonConfig,
    private readonly log: Logger,
  ) {
    const { tls } = config.listen;
    this.#settings = accessSettings(config, tls && this.#firstCertificate(tls));
    this.#tokens = new TokenSet(this.#settings.tokens);
  }

  /** What workers get. */
  get settings(): AccessSettings {
    return this.#settings;
  }

  get tokens(): TokenSet {
    return this.#tokens;
  }

  /**
   * Takes over what a configuration says; whether anything is other than before. TLS is on or off for good,
   * and a certificate that cannot be used, which is logged and given as `problem`, leaves the old one in its
   * place.
   */
  follow(config: DaemonConfig): { hasChanged: boolean; problem?: string } {
    const before = this.#settings;
    const certificate = before.tls && this.#nextCertificate(config, before.tls);
    const next = accessSettings(config, certificate?.settings);
    const problem = certificate?.problem === undefined ? {} : { problem: certificate.problem };
    if (JSON.stringify(next) === JSON.stringify(before)) return { hasChanged: false, ...problem };
    this.#settings = next;
    this.#tokens = new TokenSet(next.tokens);
    this.log.info(tokenChanges(before.tokens, next.tokens), 'access changed');
    for (const [end, grant] of this.#lasting) if (!this.#tokens.readmit('admin', grant)) end();
    return { hasChanged: true, ...problem };
  }

  /** Calls `end` when the token of a call to the admin port is valid no more. Gives what stops that. */
  watch(grant: Grant, end: () => void): () => void {
    this.#lasting.set(end, grant);
    return () => this.#lasting.delete(end);
  }

  #firstCertificate(files: CertificateFiles): TlsSettings {
    try {
      const { settings, subject, validTo } = readCertificate(files);
      const isOver = validTo.getTime() < Date.now();
      if (isOver) this.log.warn({ subject, validTo }, 'the certificate has expired');
      return settings;
    } catch (error) {
      throw new ConfigError('listen.tls', [(error as Error).message]);
    }
  }

  #nextCertificate({ listen }: DaemonConfig, before: TlsSettings): Certificate {
    if (!listen.tls) return { settings: before };
    try {
      const { settings, subject, validTo } = readCertificate(listen.tls);
      if (JSON.stringify(settings) === JSON.stringify(before)) return { settings: before };
      if (validTo.getTime() < Date.now()) throw new Error(`it expired on ${validTo.toISOString()}`);
      this.log.info({ subject, validTo }, 'certificate changed');
      return { settings };
    } catch (error) {
      const reason = (error as Error).message;
      this.log.error({ reason }, 'the old certificate stays');
      return { settings: before, problem: `listen.tls: ${reason}; the old certificate stays` };
    }
  }
}

/** What holds from now on, and why that is the old one, if it should not be. */
interface Certificate {
  settings: TlsSettings;
  problem?: string;
}

function accessSettings(
  { auth, admin: { token }, listen }: DaemonConfig,
  tls: TlsSettings | undefined,
): AccessSettings {
  const ofAdmin: TokenSettings[] =
    token === undefined ? [] : [{ name: 'admin.token', sha256: token, scopes: ['admin'] }];
  return {
    tokens: [...auth.tokens, ...ofAdmin],
    ...(listen.origins && { origins: listen.origins }),
    // Others see to it themselves who calls: by tokens, or since they are meant to be open.
    ...(isLoopback(listen.host) && { hosts: listen.allowedHosts ?? [] }),
    ...(tls && { tls }),
  };
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
