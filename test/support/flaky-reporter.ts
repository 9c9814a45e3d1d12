import type { Reporter, TestCase } from 'vitest/node';

/** Names the tests that passed only when they were tried again, with what failed first. */
export default class FlakyReporter implements Reporter {
  readonly #flaky: TestCase[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky) this.#flaky.push(test);
  }

  onTestRunEnd(): void {
    for (const test of this.#flaky) {
      const reasons = test.result().errors?.map(({ message }) => message) ?? [];
      console.log(`passed at the second try: ${test.fullName} (${test.module.relativeModuleId})`);
      for (const reason of reasons) console.log(`  ${reason}`);
    }
  }
}
