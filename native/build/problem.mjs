// Failures that the user can mend: one line that says how, instead of a stack trace.

/** `message` is one line with the remedy; `details` are lines of a tool's output, if they help. */
export class Problem extends Error {
  constructor(message, details = []) {
    super(message);
    this.details = details;
  }
}

/** Runs a script's main function; a Problem ends it with its line on stderr and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    process.stderr.write([...error.details, `warmswap: ${error.message}`, ''].join('\n'));
    process.exitCode = 1;
  }
}
