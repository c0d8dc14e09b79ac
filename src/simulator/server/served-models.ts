/** An adapter that the server offers under its own model name. */
export interface ServedAdapter {
  readonly name: string;
  readonly baseModel: string;
  /** Where its weights are said to come from; shown as `root`. */
  readonly path: string;
}

/** What a request's `model` stands for. */
export interface ResolvedModel {
  readonly name: string;
  readonly adapter: string | null;
}

/** One row of `/v1/models`; further fields are vLLM's own. */
export interface ModelRow {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
  readonly root: string;
  readonly parent: string | null;
  readonly max_model_len: number | null;
  readonly permission: readonly object[];
}

/** Model names that the server answers to: the base model's and those of loaded adapters. */
export class ServedModels {
  /** Names of the base model; the first one is its own, the rest are aliases. */
  readonly names: readonly string[];
  readonly createdSeconds: number;
  readonly contextTokens: number;
  readonly ownedBy: string;
  readonly #adapters = new Map<string, ServedAdapter>();

  constructor(
    names: readonly string[],
    facts: {
      readonly createdSeconds: number;
      readonly contextTokens: number;
      readonly ownedBy: string;
    },
  ) {
    this.names = names;
    this.createdSeconds = facts.createdSeconds;
    this.contextTokens = facts.contextTokens;
    this.ownedBy = facts.ownedBy;
  }

  get baseName(): string {
    return this.names[0] as string;
  }

  addAdapter(adapter: ServedAdapter): void {
    this.#adapters.set(adapter.name, adapter);
  }

  hasAdapter(name: string): boolean {
    return this.#adapters.has(name);
  }

  removeAdapter(name: string): void {
    this.#adapters.delete(name);
  }

  /** A missing `model` means the base model, as in vLLM; null for a name that is not served. */
  resolve(name: string | null): ResolvedModel | null {
    if (name === null) return { name: this.baseName, adapter: null };
    if (this.names.includes(name)) return { name, adapter: null };
    return this.#adapters.has(name) ? { name, adapter: name } : null;
  }

  /** Rows of `/v1/models`, as vLLM shows them: adapters name their base as `parent`. */
  list(): readonly ModelRow[] {
    const base = this.names.map((name) => this.#row(name, this.baseName, null));
    const adapters = [...this.#adapters.values()].map((adapter) =>
      this.#row(adapter.name, adapter.path, adapter.baseModel),
    );
    return [...base, ...adapters];
  }

  #row(id: string, root: string, parent: string | null): ModelRow {
    return {
      id,
      object: 'model',
      created: this.createdSeconds,
      owned_by: this.ownedBy,
      root,
      parent,
      max_model_len: parent === null ? this.contextTokens : null,
      permission: [],
    };
  }
}
