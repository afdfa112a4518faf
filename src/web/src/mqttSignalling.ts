import mqtt, { type MqttClient } from 'mqtt';
import { type Signalling, SignallingError, type TrickledCandidate } from './signalling';

const answerTimeoutMilliseconds = 10_000;
const connectTimeoutMilliseconds = 5000;
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

/** Signalling over the broker's WebSocket listener with the agent's own topics. */
export class MqttSignalling implements Signalling {
  readonly name = 'MQTT';
  onRemoteCandidate: (candidate: RTCIceCandidateInit | undefined) => void = () => {};
  onFailure: (message: string) => void = () => {};

  private readonly client: MqttClient;
  private readonly clientId = `viewer-${randomName()}`;
  private answered: ((envelope: Envelope) => void) | undefined;

  constructor(
    private readonly brokerUrl: string,
    private readonly baseTopic: string,
    private readonly camera: string,
  ) {
    this.client = mqtt.connect(brokerUrl, {
      protocolVersion: 5,
      clientId: this.clientId,
      reconnectPeriod: 0,
      connectTimeout: connectTimeoutMilliseconds,
      // The default is a worker made from a blob, which the page's content security policy forbids.
      timerVariant: 'native',
    });
    this.client.on('message', (topic, payload) => this.receive(topic, payload.toString()));
  }

  async offer(sdp: string): Promise<string> {
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

  trickle(candidate: TrickledCandidate): void {
    this.client.publish(this.topic('ice'), JSON.stringify(candidate), { qos: 1, properties: { messageExpiryInterval: offerExpirySeconds } });
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
      const fail = (error?: Error) => reject(new SignallingError(`Cannot reach the MQTT broker at ${this.brokerUrl}${error ? `: ${error.message}` : ''}.`, retrySeconds));
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
