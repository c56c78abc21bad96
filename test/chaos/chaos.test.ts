import { judgeQuickly } from './quick.ts';

// Processes that are killed, messages that come twice, in any order, to nowhere.
judgeQuickly(1, 2, 8, 10, 17, 18);
