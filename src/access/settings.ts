import type { TokenSettings } from './grant.js';

/** What a server needs for TLS: the files' texts, so that all workers use the same. */
export interface TlsSettings {
  /** The certificate and those that lead to a root, in PEM. */
  cert: string;
  /** Its private key, in PEM: a secret. */
  key: string;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** Who may come in at the data port, and how. Plain JSON; secret because of the certificate's key. */
export interface AccessSettings {
  tokens: readonly TokenSettings[];
  /** See Origins. */
  origins?: readonly string[];
  /** See HostNames. */
  hosts?: readonly string[];
  tls?: TlsSettings;
}
