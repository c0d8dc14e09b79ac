import { Child } from '../lib/child.ts';
import type { Lab } from '../lib/lab.ts';
import { acceptsConnections, pickFreePort, waitUntil } from '../lib/ports.ts';
import type { Target } from '../lib/target.ts';
import { startNginxProxy, type NginxProxyOptions } from './nginx.ts';

/** Starts the proxy that ours is compared with: nginx, or the bare raw-socket proxy without it. */
export async function startReference(lab: Lab, options: NginxProxyOptions): Promise<Target> {
  return lab.nginxVersion === null
    ? startRawProxy(lab, options.upstreamPort)
    : startNginxProxy(lab, options);
}

/** Starts the bare raw-socket proxy on the proxy's core. */
export async function startRawProxy(lab: Lab, upstreamPort: number): Promise<Target> {
  const port = await pickFreePort();
  const file = new URL('./raw-proxy.ts', import.meta.url).pathname;
  const child = new Child([process.execPath, file, String(port), String(upstreamPort)], {
    name: 'raw-proxy',
    cpu: lab.cpus.proxyCpu,
    cleanup: lab.cleanup,
    channel: 'none',
  });
  await waitUntil('raw-proxy', 5_000, async () => {
    child.assertRunning();
    return acceptsConnections(port);
  });
  return { name: 'raw-proxy', port, pid: child.pid, stop: () => child.stop() };
}
