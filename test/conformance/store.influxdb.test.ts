import t from 'tap';
import { influxUrl, uniqueName } from '../servers/index.ts';
import { openInflux } from './influxdb-open.ts';
import { runStoreSuite } from './store.suite.ts';

runStoreSuite(t, 'influxdb', async () => {
  const target = { url: await influxUrl(), database: uniqueName('store') };
  const store = await openInflux(target);
  return {
    store,
    reopen: async () => {
      await store.close();
      return openInflux(target);
    },
    second: () => openInflux({ ...target, writer: 'collector-2' }),
  };
});
