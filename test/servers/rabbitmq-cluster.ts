import { startEpmd } from './epmd.ts';
import { ownHome, startNode, type RabbitOptions, type RabbitServer } from './rabbitmq.ts';
import { removeFolder } from './process.ts';

/** Several nodes on this host, joined; a quorum queue lives on three of them. */
export interface RabbitCluster {
  /** Each with its own port, `kill`, `restart`, `pause`; a wiped node leaves the cluster and joins it again. */
  readonly nodes: readonly RabbitServer[];
  /** One URL a node, in the order of `nodes`. */
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Starts `size` nodes: the first alone, so that it founds the cluster, then the others side by side. */
export async function startRabbitCluster(
  size = 3,
  options: Omit<RabbitOptions, 'nodeName'> = {},
): Promise<RabbitCluster> {
  const home = ownHome(options.runAs);
  const epmd = await startEpmd(home, options.runAs);
  const names = Array.from({ length: size }, (_, index) => `nephometer${index + 1}`);
  const nodes: RabbitServer[] = [];

  const start = (index: number): Promise<RabbitServer> => {
    const nodeName = names[index] ?? '';
    const config = [options.config ?? '', peers(names, nodeName)].join('\n');
    const beforeWipe = async (): Promise<void> => {
      const other = nodes.find((node) => !node.nodeName.startsWith(`${nodeName}@`));
      await other?.ctl('forget_cluster_node', `${nodeName}@localhost`);
    };
    return startNode({ ...options, nodeName, config, home, epmd, beforeWipe });
  };

  nodes.push(await start(0));
  nodes.push(...(await Promise.all(names.slice(1).map((_, index) => start(index + 1)))));
  return {
    nodes,
    urls: nodes.map((node) => node.url),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await epmd.process.end();
      removeFolder(home);
    },
  };
}

/** A node without data asks these whether there is a cluster to join. It must find itself in the list. */
function peers(names: readonly string[], self: string): string {
  const others = names.filter((name) => name !== self);
  return [
    'cluster_formation.peer_discovery_backend = classic_config',
    'cluster_formation.discovery_retry_limit = 3',
    'cluster_formation.discovery_retry_interval = 200',
    ...[...others, self].map(
      (name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}@localhost`,
    ),
  ].join('\n');
}
