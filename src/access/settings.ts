import type { TokenSettings } from './grant.js';

/** Who may come in at the data port. Plain JSON; without secrets but for the certificate's key. */
export interface AccessSettings {
  tokens: readonly TokenSettings[];
}
