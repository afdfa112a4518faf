import type { DataChannels } from './dataChannels';
import { TokenNeededError } from './signalling';

/** An entity as `/api/entities` describes it (docs/http-api.md). */
export interface Entity {
  id: string;
  name: string;
  kind: 'sensor' | 'binary_sensor' | 'switch' | 'light' | 'number' | 'select' | 'button' | 'event' | 'picture' | 'update';
  value?: string;
  isAvailable: boolean;
  takesCommands: boolean;
  category?: 'config' | 'diagnostic';
  deviceClass?: string;
  unit?: string;
  precision?: number;
  minimum?: number;
  maximum?: number;
  step?: number;
  options?: string[];
  hasBrightness?: boolean;
  picture?: string;
}

export interface EntityListener {
  /** Everything there is, at the start and after a connection was lost. */
  onAll(entities: Entity[]): void;
  onChanged(entity: Entity): void;
  onRemoved(id: string): void;
  /** The agent cannot be heard: what is shown may be old. */
  onLost(): void;
}

const reconnectMilliseconds = 2000;

/** The agent's entities: follows them and operates them. */
export class EntityClient {
  constructor(
    private readonly bearerToken: string | null,
    private readonly channels: () => DataChannels | undefined,
  ) {}

  /** Follows the entities until `signal` is aborted; connects again whenever the stream ends. */
  async follow(listener: EntityListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.followOnce(listener, signal);
      } catch (error) {
        if (error instanceof TokenNeededError) {
          throw error;
        }
      }

      if (!signal.aborted) {
        listener.onLost();
        await new Promise((resolve) => setTimeout(resolve, reconnectMilliseconds));
      }
    }
  }

  /** Carries out a command, by the data channel where there is one; throws with the agent's reason when it refuses. */
  async operate(id: string, value: string | boolean | number): Promise<void> {
    const channels = this.channels();
    if (channels?.isOpen) {
      return channels.execute(id, value);
    }

    const response = await fetch(new URL(`api/entities/${id}`, document.baseURI), {
      method: 'POST',
      headers: { ...this.authorization(), 'Content-Type': 'application/json' },
      body: JSON.stringify({ value }),
    });
    if (!response.ok) {
      const problem = (await response.json().catch(() => ({}))) as { detail?: string };
      throw new Error(problem.detail ?? `The agent answered ${response.status}.`);
    }
  }

  /** A picture as an object URL, which the caller revokes; an `img` could not send the token. */
  async loadPicture(path: string): Promise<string | undefined> {
    const response = await fetch(new URL(path.replace(/^\//, ''), document.baseURI), { headers: this.authorization() });
    return response.ok ? URL.createObjectURL(await response.blob()) : undefined;
  }

  /** EventSource cannot send a token, so the stream is read here: `event:` and `data:` lines, a blank line ends each event. */
  private async followOnce(listener: EntityListener, signal: AbortSignal): Promise<void> {
    const response = await fetch(new URL('api/events', document.baseURI), { headers: this.authorization(), signal });
    if (response.status === 401) {
      throw new TokenNeededError('The agent asks for its token.');
    }

    if (!response.ok || !response.body) {
      return;
    }

    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        EntityClient.tell(listener, event);
      }
    }
  }

  private static tell(listener: EntityListener, event: string): void {
    const kind = event.match(/^event: (.*)$/m)?.[1];
    const data = event.match(/^data: (.*)$/m)?.[1];
    if (!data) {
      return;
    }

    const value: unknown = JSON.parse(data);
    if (kind === 'entities') {
      listener.onAll(value as Entity[]);
    } else if (kind === 'entity') {
      listener.onChanged(value as Entity);
    } else if (kind === 'removed') {
      listener.onRemoved(value as string);
    }
  }

  private authorization(): Record<string, string> {
    return this.bearerToken ? { Authorization: `Bearer ${this.bearerToken}` } : {};
  }
}
