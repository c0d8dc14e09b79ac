import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../lib/child.ts';
import type { Lab } from '../lib/lab.ts';
import { acceptsConnections, pickFreePort, waitUntil } from '../lib/ports.ts';
import type { Target } from '../lib/target.ts';
import { CHAT_ANSWER, STATIC_ANSWERS } from '../load/static-answers.ts';

const START_TIMEOUT_MS = 5_000;

/** How nginx is set up as a proxy. */
export interface NginxProxyOptions {
  readonly upstreamPort: number;
  /** `off` passes each piece of a response on at once, as a streaming proxy must. */
  readonly responseBuffering: 'on' | 'off';
}

/**
 * Starts nginx as the reference proxy on the proxy's core: one process, no log, keep-alive both
 * ways.
 */
export async function startNginxProxy(lab: Lab, options: NginxProxyOptions): Promise<Target> {
  const port = await pickFreePort();
  const servers = `
  upstream target {
    server 127.0.0.1:${options.upstreamPort};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering ${options.responseBuffering};
      proxy_read_timeout 600s;
    }
  }`;
  const child = startNginx(lab, { name: 'nginx', cpu: lab.cpus.proxyCpu, port, servers });
  await waitForNginx(child, port);
  return { name: 'nginx', port, pid: child.pid, stop: () => child.stop() };
}

/**
 * Starts nginx as an upstream that answers everything from memory, on the load core; returns its
 * port.
 */
export async function startNginxUpstream(lab: Lab): Promise<number> {
  const port = await pickFreePort();
  const answers = [
    ...STATIC_ANSWERS,
    { path: '/v1/chat/completions', contentType: 'application/json', body: CHAT_ANSWER },
  ];
  const locations = answers.map(
    ({ path, contentType, body }) =>
      `    location = ${path} { default_type '${contentType}'; return 200 '${body}'; }`,
  );
  const listen = `    listen 127.0.0.1:${port} backlog=4096;`;
  const servers = ['  server {', listen, ...locations, '  }'].join('\n');
  const child = startNginx(lab, { name: 'nginx upstream', cpu: lab.cpus.loadCpu, port, servers });
  await waitForNginx(child, port);
  return port;
}

interface NginxSetup {
  readonly name: string;
  readonly cpu: number;
  readonly port: number;
  readonly servers: string;
}

function startNginx(lab: Lab, setup: NginxSetup): Child {
  const directory = join(lab.tempDir, `nginx-${setup.port}`);
  mkdirSync(directory);
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, renderConfiguration(directory, setup.servers));
  return new Child(['nginx', '-p', directory, '-e', join(directory, 'error.log'), '-c', file], {
    name: setup.name,
    cpu: setup.cpu,
    cleanup: lab.cleanup,
    channel: 'none',
  });
}

/**
 * `master_process off`: one process does all, so its pid is the one to measure. The body buffer
 * holds the longest prompt of any bench; nginx would write it to a file otherwise and measure the
 * disk.
 */
function renderConfiguration(directory: string, servers: string): string {
  const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${join(directory, kind)};`,
  );
  return `daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid ${join(directory, 'nginx.pid')};
events { worker_connections 16384; }
http {
${temporaryPaths.join('\n')}
  access_log off;
  error_log ${join(directory, 'error.log')} error;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_header_buffer_size 4k;
  client_body_buffer_size 512k;
  client_max_body_size 64m;
${servers}
}
`;
}

async function waitForNginx(child: Child, port: number): Promise<void> {
  await waitUntil(child.name, START_TIMEOUT_MS, async () => {
    child.assertRunning();
    return acceptsConnections(port);
  });
}
