import t from 'tap';
import { rabbitmqUrl } from '../servers/index.ts';
import { CASES } from './matrix.ts';
import { runCase } from './run-case.ts';
import { detailsOf } from './table.ts';

/** Runs the short forms of some faults as tests, on the broker that all tests share and on the embedded store. */
export function judgeQuickly(...numbers: readonly number[]): void {
  for (const number of numbers) {
    t.test(`fault ${number}`, async (t) => {
      const one = CASES.find((candidate) => candidate.number === number);
      if (one?.quick !== true) throw new TypeError(`Fault ${number} has no short form.`);
      const broker = await rabbitmqUrl();
      const said: string[] = [];
      const around = {
        store: 'duckdb',
        long: false,
        quick: true,
        broker,
        influx: '',
        say: (line: string) => void said.push(line),
      } as const;
      const outcome = await runCase(one, around);
      t.equal(outcome.state, 'passed', `${one.title}\n${[...detailsOf(outcome, true), ...said].join('\n')}`);
    });
  }
}
