import mqtt, { type MqttClient } from 'mqtt';
import { type Signalling, SignallingError, type TrickledCandidate } from './signalling';

const answerTimeoutMilliseconds = 10_000;
const connectTimeoutMilliseconds = 5000;
/** An attempt that fell into the change of network never succeeds; the next one may. */
const reconnectTimeoutMilliseconds = 1500;
const retrySeconds = 2;
const offerExpirySeconds = 10;

interface Envelope {
  type?: string;
  sdp?: string;
  message?: string;
  reason?: string;
}

/** crypto.randomUUID is only there over https and on localhost, and this page is mostly opened by a plain address of the home. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The lines that name the media sources of a session description. */
function sourcesOf(sdp: string): string {
  return sdp.match(/^a=ssrc:.*$/gm)?.join() ?? '';
}

/** The broker, not the agent, is out of reach. */
class UnreachableError extends SignallingError {}

/** Signalling over the broker's WebSocket listener with the agent's own topics. */
export class MqttSignalling implements Signalling {
  readonly name = 'MQTT';
  onRemoteCandidate: (candidate: RTCIceCandidateInit | undefined) => void = () => {};
  onFailure: (message: string) => void = () => {};

  private client: MqttClient;
  private readonly clientId = `viewer-${randomName()}`;
  private answered: ((envelope: Envelope) => void) | undefined;
  /** The agent's media sources: the same in an answer that restarts ICE, others in that to a new session. */
  private sources = '';
  private waiting: TrickledCandidate[] = [];
  private isRestarting = false;

  constructor(
    private readonly brokerUrl: string,
    private readonly baseTopic: string,
    private readonly camera: string,
  ) {
    this.client = this.createClient(connectTimeoutMilliseconds);
  }

  async offer(sdp: string): Promise<string> {
    const answer = await this.exchange(sdp);
    this.sources = sourcesOf(answer);
    return answer;
  }

  /** An offer of the same client that is the running session's but for ICE restarts ICE in that session. */
  async restart(sdp: string): Promise<string> {
    this.isRestarting = true;
    this.waiting = [];
    // The connection to the broker went with the network that it was made in, though nobody may have noticed.
    this.client.removeAllListeners();
    this.client.on('error', () => {});
    this.client.end(true);
    this.client = this.createClient(reconnectTimeoutMilliseconds);
    try {
      const answer = await this.exchange(sdp);
      if (sourcesOf(answer) !== this.sources) {
        throw new SignallingError('The session has ended.', 0);
      }

      this.isRestarting = false;
      for (const candidate of this.waiting.splice(0)) {
        this.trickle(candidate);
      }

      return answer;
    } catch (error) {
      // Without a network the broker is out of reach as well; that is no reason to give the session up.
      throw error instanceof UnreachableError ? new Error(error.message) : error;
    } finally {
      this.isRestarting = false;
    }
  }

  trickle(candidate: TrickledCandidate): void {
    if (this.isRestarting) {
      // For the new credentials, which the agent has to know first.
      this.waiting.push(candidate);
      return;
    }

    this.client.publish(this.topic('ice'), JSON.stringify(candidate), { qos: 1, properties: { messageExpiryInterval: offerExpirySeconds } });
  }

  private createClient(connectTimeout: number): MqttClient {
    const client = mqtt.connect(this.brokerUrl, {
      protocolVersion: 5,
      clientId: this.clientId,
      reconnectPeriod: 0,
      connectTimeout,
      // The default is a worker made from a blob, which the page's content security policy forbids.
      timerVariant: 'native',
    });
    client.on('message', (topic, payload) => this.receive(topic, payload.toString()));
    return client;
  }

  /** Publishes an offer and waits for its answer. */
  private async exchange(sdp: string): Promise<string> {
    await this.connected();
    await this.client.subscribeAsync(
      [this.topic('answer'), `${this.topic('ice')}/device`, this.topic('bye')],
      // The bye topic is shared by both directions.
      { qos: 1, nl: true },
    );
    const answer = new Promise<Envelope>((resolve, reject) => {
      this.answered = resolve;
      setTimeout(
        () => reject(new SignallingError(`No answer from ${this.baseTopic} in ${answerTimeoutMilliseconds / 1000} s: is the agent connected to the broker?`, retrySeconds)),
        answerTimeoutMilliseconds,
      );
    });
    await this.client.publishAsync(this.topic('offer'), JSON.stringify({ type: 'offer', sdp, camera: this.camera }), {
      qos: 1,
      properties: { messageExpiryInterval: offerExpirySeconds },
    });
    const envelope = await answer;
    if (envelope.type !== 'answer' || !envelope.sdp) {
      throw new SignallingError(envelope.message ?? 'The agent sent an answer without SDP.', retrySeconds);
    }

    return envelope.sdp;
  }

  close(): void {
    this.client.publish(this.topic('bye'), JSON.stringify({ reason: 'viewer left' }), { qos: 1 });
    this.client.end();
  }

  private topic(kind: string): string {
    return `${this.baseTopic}/webrtc/${kind}/${this.clientId}`;
  }

  private connected(): Promise<void> {
    if (this.client.connected) {
      return Promise.resolve();
    }

    return new Promise((resolve, reject) => {
      this.client.once('connect', () => {
        this.client.on('close', () => this.onFailure('The connection to the MQTT broker was lost.'));
        resolve();
      });
      const fail = (error?: Error) => reject(new UnreachableError(`Cannot reach the MQTT broker at ${this.brokerUrl}${error ? `: ${error.message}` : ''}.`, retrySeconds));
      this.client.once('error', fail);
      this.client.once('close', () => fail());
    });
  }

  private receive(topic: string, payload: string): void {
    const message: unknown = JSON.parse(payload || 'null');
    if (topic === this.topic('answer')) {
      this.answered?.(message as Envelope);
    } else if (topic === this.topic('bye')) {
      this.onFailure((message as Envelope | null)?.reason ?? 'The agent ended the session.');
    } else {
      this.onRemoteCandidate((message as RTCIceCandidateInit | null) ?? undefined);
    }
  }
}
