import type { Endpoint } from '../pool/endpoint.ts';
import type { Fleet } from '../pool/fleet.ts';
import type { EndpointStatus } from '../pool/status.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';

/**
 * Shows every endpoint's load and health as metrics, read when the metrics are: the fleet itself
 * keeps no series. Endpoints that have left lose their series.
 */
export function registerFleetMetrics(fleet: Fleet, metrics: MetricsRegistry): void {
  let shown: ReadonlySet<string> = new Set();
  const ejections: WeakMap<Endpoint, number> = new WeakMap();
  metrics.onCollect(() => {
    const present = new Set<string>();
    for (const endpoint of fleet.endpoints()) {
      const status = fleet.statusOf(endpoint.slot);
      present.add(status.id);
      for (const pool of status.pools) showEndpoint(metrics, [pool, status.id], status);
      countEjections(metrics, status, ejections.get(endpoint) ?? 0);
      ejections.set(endpoint, status.ejections);
    }
    for (const id of shown) if (!present.has(id)) metrics.removeMatching('endpoint', id);
    shown = present;
  });
}

function showEndpoint(
  metrics: MetricsRegistry,
  labels: readonly string[],
  status: EndpointStatus,
): void {
  const { reportedWaiting, reportedRunning, kvCacheUsage, reportAgeMs } = status;
  metrics.gauge('penstock_endpoint_available', labels).set(status.isAvailable ? 1 : 0);
  metrics.gauge('penstock_endpoint_requests_in_flight', labels).set(status.requestsInFlight);
  metrics.gauge('penstock_endpoint_tokens_in_flight', labels).set(status.tokensInFlight);
  metrics.gauge('penstock_endpoint_waiting', labels).set(reportedWaiting ?? Number.NaN);
  metrics.gauge('penstock_endpoint_running', labels).set(reportedRunning ?? Number.NaN);
  metrics.gauge('penstock_endpoint_kv_cache_usage_ratio', labels).set(kvCacheUsage ?? Number.NaN);
  metrics
    .gauge('penstock_endpoint_report_age_seconds', labels)
    .set(reportAgeMs === null ? Number.NaN : reportAgeMs / 1000);
}

/** Adds what the endpoint's own count has grown by; an ejection belongs to all of its pools. */
function countEjections(metrics: MetricsRegistry, status: EndpointStatus, before: number): void {
  for (const pool of status.pools) {
    const series = metrics.counter('penstock_endpoint_ejections_total', [pool, status.id]);
    if (status.ejections > before) series.add(status.ejections - before);
  }
}
