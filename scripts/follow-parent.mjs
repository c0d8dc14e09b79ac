// Loaded into the gateway by `npm start` only. There the gateway has a process group of its own (see
// run.mjs), so if run.mjs is killed outright nobody is left to stop it and its port stays taken. The
// channel between the two closes at that moment; the gateway then drains as on SIGTERM.

import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
