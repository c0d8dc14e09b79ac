import type { RouteTable } from '../director/routes.ts';
import { targetsOf } from '../director/routes.ts';
import type { ListedModel } from '../protocol/model-list.ts';

/**
 * The models that clients can name: over all pools, with adapters, configured names and aliases.
 */
export class ModelCatalog {
  readonly #routes: RouteTable;
  readonly #createdSeconds: number;

  /** `createdSeconds`: Unix time shown as the models' creation, for engines do not tell theirs. */
  constructor(routes: RouteTable, createdSeconds: number) {
    this.#routes = routes;
    this.#createdSeconds = createdSeconds;
  }

  /** Every model, by name. */
  list(): readonly ListedModel[] {
    const names = [...this.#routes.names()].sort();
    return names.flatMap((name) => this.find(name) ?? []);
  }

  /** One model, or null when nobody knows it. */
  find(name: string): ListedModel | null {
    const route = this.#routes.resolve(name);
    if (route === null) return null;
    const served = targetsOf(route).map((target) => target.served);
    const first = served[0];
    const contexts = served.flatMap(({ contextTokens }) => contextTokens ?? []);
    return {
      id: name,
      createdSeconds: this.#createdSeconds,
      ownedBy: 'penstock',
      root: first === undefined ? null : first.model,
      parent: first === undefined ? null : first.baseModel,
      // A client must be able to rely on it whichever target it gets.
      contextTokens: contexts.length === 0 ? null : Math.min(...contexts),
    };
  }

  /** The known name most like `name`. */
  nearest(name: string): string | null {
    return this.#routes.nearest(name);
  }
}
