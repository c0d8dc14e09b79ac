/** Receives failures of background work, so that none is ever swallowed. */
export type FailureSink = (name: string, cause: unknown) => void;

/**
 * Lets `work` run in the background. A rejection goes to `onFailure` with the work's name; it never
 * becomes an unhandled rejection.
 */
export function spawn(name: string, work: Promise<unknown>, onFailure: FailureSink): void {
  work.catch((cause: unknown) => {
    onFailure(name, cause);
  });
}
