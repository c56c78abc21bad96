import { judgeQuickly } from './quick.ts';

// Messages that are none, forged, too large, replayed; two agents on one series.
judgeQuickly(20, 21, 22, 23, 31);
