import type { Clock } from '../../core/clock.ts';
import type { Director } from '../../director/director.ts';
import type { PromptKey } from '../../protocol/wasm/prompt-key.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RelayOptions } from '../options.ts';
import type { UpstreamConnections } from '../upstream/connections.ts';
import type { Credentials } from './credentials.ts';
import type { RequestJournal } from './journal.ts';
import type { OpenExchange, OpenList } from './open-list.ts';

/** What all exchanges share. */
export interface ExchangeServices {
  readonly director: Director;
  readonly connections: UpstreamConnections;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: RequestJournal;
  /** The options in force; an exchange keeps those it started with. */
  readonly options: () => RelayOptions;
  /** Seeds the hashes of prompt blocks. */
  readonly promptKey: PromptKey;
  readonly credentials: Credentials;
  /** Exchanges under way, for deadlines and draining. */
  readonly open: OpenList<OpenExchange>;
}
