import { judgeQuickly } from './quick.ts';

// Messages that are forged, or replayed; two agents on one series.
judgeQuickly(22, 23, 31);
