import { judgeQuickly } from './quick.ts';

// Processes that are killed, and one that cannot start.
judgeQuickly(1, 2, 8);
