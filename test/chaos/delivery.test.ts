import { judgeQuickly } from './quick.ts';

// Messages that come twice, in any order, to nowhere.
judgeQuickly(10, 17, 18);
