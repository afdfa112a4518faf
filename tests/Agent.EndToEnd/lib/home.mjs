import { Agent, Broker, freePort } from './agent.mjs';
import { Namespace } from './namespace.mjs';

const token = 'home-token';

/**
 * An agent with a test camera, and beside it a network namespace for viewers: two machines in a home, joined by `network` (and its `link`). With
 * `hasBroker` there is one for them beside the agent.
 */
export async function startHome({ camera = {}, http = {}, webrtc = {}, hasBroker = false, ...options } = {}) {
  const network = await Namespace.create(options);
  let broker;
  try {
    const port = await freePort();
    broker = hasBroker ? await Broker.start({ host: network.host }) : undefined;
    const agent = await Agent.start({
      http: { listen: `${network.host}:${port}`, bearerToken: token, ...http },
      webrtc: { udpPort: 0, listenAddresses: [network.host], ...webrtc },
      cameras: { main: { source: { kind: 'test', width: 640, height: 360, frameRate: 30 }, ...camera } },
      ...(broker && { mqtt: { host: network.host, port: broker.port, device: 'home', webSocketUrl: broker.webSocketUrl } }),
    }, { port, host: network.host });
    return {
      network,
      agent,
      token,
      url: `${agent.url}/whep/main`,
      status: async () => await (await fetch(`${agent.url}/api/status`, { headers: { Authorization: `Bearer ${token}` } })).json(),
      async viewers() {
        return (await this.status()).viewers;
      },
      async stop() {
        await agent.stop();
        await broker?.stop();
        await network.remove();
      },
    };
  } catch (error) {
    await broker?.stop();
    await network.remove();
    throw error;
  }
}
