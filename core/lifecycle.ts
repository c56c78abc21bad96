import { messageOf } from './errors.ts';
import type { Logger } from './log.ts';

/** Something that runs. Start acquires, stop releases; stopping twice, before start or while starting is safe. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts services in order; stops them in reverse. When one fails to start, those before it are stopped again. */
export class ServiceGroup implements Service {
  readonly name: string;
  readonly #services: readonly Service[];
  readonly #log: Logger;
  #running: Service[] = [];
  #stopping: Promise<void> | null = null;

  constructor(name: string, services: readonly Service[], log: Logger) {
    this.name = name;
    this.#services = services;
    this.#log = log;
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      if (this.#stopping !== null) return;
      this.#running.unshift(service);
      try {
        await service.start();
      } catch (cause) {
        await this.stop();
        throw cause;
      }
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const service of this.#running.splice(0)) {
      try {
        await service.stop();
      } catch (cause) {
        this.#log.error({ service: service.name, cause: messageOf(cause) }, 'A service did not stop cleanly.');
      }
    }
  }
}
