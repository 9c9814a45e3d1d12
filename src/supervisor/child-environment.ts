import { TOKEN_VARIABLE } from '../config/load.js';

/** The environment of this process without its secret, which its children have no use for. */
export function childEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== TOKEN_VARIABLE),
  );
}
