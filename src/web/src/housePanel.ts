import type { DataChannels } from './dataChannels';
import { type Entity, EntityClient, type EntityListener } from './entities';
import { createControl, type EntityControl } from './entityControls';
import { TokenNeededError } from './signalling';

/** What the panel shows in one place: the things themselves, then their settings, then how they are doing. */
type Section = 'primary' | 'config' | 'diagnostic';

/** The video itself is there, so a still of it and the button that takes one are not. */
function isShown(entity: Entity): boolean {
  return !entity.id.endsWith('_snapshot');
}

/** A camera's name as the beginning of its entities' ids. */
function prefixOf(camera: string): string {
  return `${camera.toLowerCase().replaceAll('-', '_')}_`;
}

/** The camera whose entity it is, or undefined for the house's own. Of names that begin alike the longest is meant. */
function cameraOf(entity: Entity, cameras: string[]): string | undefined {
  return cameras.filter((camera) => entity.id.startsWith(prefixOf(camera))).sort((a, b) => b.length - a.length)[0];
}

/** The house next to the picture: sensors, switches and lights of this camera and of no other. */
export class HousePanel implements EntityListener {
  private readonly controls = new Map<string, EntityControl>();
  private readonly client: EntityClient;

  constructor(
    private readonly panel: HTMLElement,
    private readonly camera: string,
    private readonly cameras: string[],
    bearerToken: string | null,
    channels: () => DataChannels | undefined,
  ) {
    this.client = new EntityClient(bearerToken, channels);
  }

  /** Shows the entities until `signal` is aborted. Without a token nothing is shown: the video asks for it. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.client.follow(this, signal);
    } catch (error) {
      if (!(error instanceof TokenNeededError)) {
        throw error;
      }
    }
  }

  onAll(entities: Entity[]): void {
    for (const id of [...this.controls.keys()]) {
      this.onRemoved(id);
    }

    for (const entity of entities) {
      this.onChanged(entity);
    }

    this.panel.classList.remove('lost');
  }

  onChanged(entity: Entity): void {
    const owner = cameraOf(entity, this.cameras);
    if (!isShown(entity) || (owner !== undefined && owner !== this.camera)) {
      return;
    }

    let control = this.controls.get(entity.id);
    if (!control) {
      control = createControl(entity, this.shortName(entity, owner), this.client, (problem) => this.showProblem(problem));
      this.controls.set(entity.id, control);
      this.list(entity.category ?? 'primary').append(control.row);
    }

    control.show(entity);
    this.showSections();
  }

  onRemoved(id: string): void {
    this.controls.get(id)?.row.remove();
    this.controls.delete(id);
    this.showSections();
  }

  onLost(): void {
    this.panel.classList.add('lost');
  }

  /** Without the camera's name, which stands above the picture. */
  private shortName(entity: Entity, owner: string | undefined): string {
    const name = owner !== undefined && entity.name.startsWith(`${owner} `) ? entity.name.slice(owner.length + 1) : entity.name;
    return name.charAt(0).toUpperCase() + name.slice(1);
  }

  private list(section: Section): HTMLElement {
    const found = this.panel.querySelector<HTMLElement>(`[data-section=${section}] ul`);
    if (!found) {
      throw new Error(`index.html has no section ${section}`);
    }

    return found;
  }

  private showSections(): void {
    for (const section of this.panel.querySelectorAll<HTMLElement>('[data-section]')) {
      section.hidden = section.querySelector('li') === null;
    }

    this.panel.hidden = this.controls.size === 0;
  }

  private showProblem(problem: string): void {
    const box = this.panel.querySelector<HTMLElement>('[role=alert]');
    if (box) {
      box.textContent = problem;
      box.hidden = problem === '';
    }
  }
}
