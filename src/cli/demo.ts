import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { EngineServer } from '../simulator/server/server.ts';
import { createEngineServer } from '../simulator/server/server.ts';

/** Model that the built-in servers claim to serve. */
const DEMO_MODEL = 'demo-model';

/** Adapter on top of it, so that adapters can be tried too. */
const DEMO_ADAPTER = 'demo-adapter';

/** Starts simulated model servers on free ports of the loopback interface. */
export async function startDemoServers(
  count: number,
  ports: { readonly clock: Clock; readonly rng: Rng },
): Promise<readonly EngineServer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      createEngineServer({
        ...ports,
        host: '127.0.0.1',
        port: 0,
        engineId: `demo-${index + 1}`,
        models: [DEMO_MODEL],
        adapters: [DEMO_ADAPTER],
        profile: 'demo',
        seed: index + 1,
      }),
    ),
  );
}

/** What a person at the terminal needs to try the demo. */
export function renderDemoGuide(gatewayUrl: string, adminUrl: string): string {
  return `
The gateway is up in front of simulated model servers. Try it:

  curl ${gatewayUrl}/v1/chat/completions \\
    -H 'content-type: application/json' \\
    -d '{"model":"${DEMO_MODEL}","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

  // npm install openai
  import OpenAI from 'openai';
  const client = new OpenAI({ baseURL: '${gatewayUrl}/v1', apiKey: 'unused' });
  const answer = await client.chat.completions.create({
    model: '${DEMO_MODEL}',
    messages: [{ role: 'user', content: 'Hello' }],
  });
  console.log(answer.choices[0].message.content);

  Admin: ${adminUrl}   (metrics, state, and why each request went where it went)

Ctrl-C stops it, letting open requests finish.
`;
}
