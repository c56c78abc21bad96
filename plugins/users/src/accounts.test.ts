import t from 'tap';
import { CpuAccounts } from './accounts.ts';
import type { ProcessSnapshot } from './processes.ts';

const [ROOT, ADA, GRACE] = [0, 1000, 1001];

/** Processes from a table: pid parent uid own reaped. */
function look(table: string): ProcessSnapshot[] {
  return table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, uid = 0, own = 0, reaped = 0]) => ({
      key: `${pid}:1`,
      pid,
      parent,
      uid,
      own,
      reaped,
      memoryBytes: 0,
    }));
}

function totals(accounts: CpuAccounts, table: string): Record<number, number> {
  return Object.fromEntries(accounts.update(look(table)));
}

t.test('a first look counts the living processes', async (t) => {
  t.same(totals(new CpuAccounts(), '1 0 0 10 500\n 2 1 1000 7'), { [ROOT]: 10, [ADA]: 7 });
});

t.test('a user keeps the time of processes that ended', async (t) => {
  const accounts = new CpuAccounts();
  totals(accounts, '1 0 0 10\n 2 1 1000 100');
  t.same(totals(accounts, '1 0 0 11 100'), { [ROOT]: 11, [ADA]: 100 });
});

t.test('what a process used after the last look comes from its parent, and goes to its user', async (t) => {
  const accounts = new CpuAccounts();
  totals(accounts, '1 0 0 10\n 2 1 1000 100');
  t.same(totals(accounts, '1 0 0 10 130'), { [ROOT]: 10, [ADA]: 130 });
});

t.test('processes that come and go between two looks count for the user who started them', async (t) => {
  const accounts = new CpuAccounts();
  totals(accounts, '1 0 0 10\n 2 1 1000 5');
  t.same(totals(accounts, '1 0 0 10\n 2 1 1000 5 4000'), { [ROOT]: 10, [ADA]: 4005 });
});

t.test("a session that ends is not counted again as its server's time", async (t) => {
  const accounts = new CpuAccounts();
  totals(accounts, '1 0 0 0\n 2 1 0 1\n 3 2 1000 2\n 4 3 1000 900 5000');
  // The shell 4 and the session 3 end; the server 2 has waited for 3, which waited for 4.
  t.same(totals(accounts, '1 0 0 0\n 2 1 0 1 5910'), { [ROOT]: 1, [ADA]: 910 });
});

t.test('a process that is orphaned and ends between two looks is not counted twice', async (t) => {
  const accounts = new CpuAccounts();
  totals(accounts, '1 0 0 0\n 2 1 1001 1\n 3 2 1000 1\n 4 3 1000 900');
  // 3 ends, 4 goes over to 1 and ends there; 2 waited for 3 alone.
  t.same(totals(accounts, '1 0 0 0 900\n 2 1 1001 1 1'), { [ROOT]: 0, [ADA]: 901, [GRACE]: 1 });
});

t.test('a pid that is used again is another process', async (t) => {
  const accounts = new CpuAccounts();
  accounts.update(look('7 1 1000 100'));
  const again = look('7 1 1000 3').map((one) => ({ ...one, key: '7:2' }));
  t.same(Object.fromEntries(accounts.update(again)), { [ADA]: 103 });
});

t.test('a total never falls', async (t) => {
  const accounts = new CpuAccounts();
  totals(accounts, '7 1 1000 100');
  t.same(totals(accounts, '7 1 1000 90'), { [ADA]: 100 });
});

t.test('accounts go on from a saved state', async (t) => {
  const before = new CpuAccounts();
  totals(before, '1 0 0 0\n 7 1 1000 100\n 8 1 1000 50');
  const after = new CpuAccounts(before.state());
  t.same(totals(after, '1 0 0 0 50\n 7 1 1000 120'), { [ROOT]: 0, [ADA]: 170 });
});
