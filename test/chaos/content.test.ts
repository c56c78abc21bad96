import { judgeQuickly } from './quick.ts';

// Messages that are none, and messages that are too large.
judgeQuickly(20, 21);
