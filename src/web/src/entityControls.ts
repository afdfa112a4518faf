import type { Entity, EntityClient } from './entities';

/** One line of the panel. */
export interface EntityControl {
  readonly row: HTMLLIElement;
  show(entity: Entity): void;
}

/** Says why a command was refused; an empty text takes that back. */
type Problems = (problem: string) => void;

/** How a device class's ON and OFF are said; Home Assistant's words. */
const binaryWords: Record<string, [on: string, off: string]> = {
  motion: ['Motion', 'Clear'],
  occupancy: ['Occupied', 'Clear'],
  door: ['Open', 'Closed'],
  window: ['Open', 'Closed'],
  garage_door: ['Open', 'Closed'],
  opening: ['Open', 'Closed'],
  problem: ['Problem', 'OK'],
  tamper: ['Tampered', 'Clear'],
  connectivity: ['Connected', 'Disconnected'],
  light: ['Light', 'Dark'],
  smoke: ['Smoke', 'Clear'],
  moisture: ['Wet', 'Dry'],
};

/** The line for an entity: what operates it, or what it says. */
export function createControl(entity: Entity, name: string, client: EntityClient, problems: Problems): EntityControl {
  const row = document.createElement('li');
  row.dataset['entity'] = entity.id;
  const operate = async (value: string | boolean | number): Promise<void> => {
    try {
      row.classList.add('busy');
      await client.operate(entity.id, value);
      problems('');
    } catch (error) {
      problems(error instanceof Error ? error.message : String(error));
      // What was chosen and refused must not stand there as if it were so.
      apply(shown);
    } finally {
      row.classList.remove('busy');
    }
  };

  let shown = entity;
  const show = entity.takesCommands ? operable(entity, name, row, operate) : readable(entity, name, row, client);
  const apply = (next: Entity): void => {
    shown = next;
    row.classList.toggle('unavailable', !next.isAvailable);
    for (const input of row.querySelectorAll<HTMLInputElement | HTMLButtonElement | HTMLSelectElement>('input, button, select')) {
      input.disabled = !next.isAvailable;
    }

    show(next);
  };
  return { row, show: apply };
}

type Show = (entity: Entity) => void;

function operable(entity: Entity, name: string, row: HTMLLIElement, operate: (value: string | boolean | number) => Promise<void>): Show {
  switch (entity.kind) {
    case 'switch':
    case 'light': {
      const toggle = input(row, name, 'checkbox');
      toggle.setAttribute('role', 'switch');
      toggle.addEventListener('change', () => void operate(toggle.checked));
      const brightness = entity.hasBrightness ? range(row, `${name} brightness`, 0, 100, 1, operate) : undefined;
      return (next) => {
        toggle.checked = entity.kind === 'light' ? Number(next.value ?? 0) > 0 : next.value === 'ON';
        brightness?.(next.value);
      };
    }

    case 'number': {
      const value = document.createElement('output');
      row.append(label(name), value);
      const slider = range(row, name, entity.minimum ?? 0, entity.maximum ?? 100, entity.step ?? 1, operate, (text) => {
        value.textContent = withUnit(text, entity);
      });
      return (next) => {
        slider(next.value);
        value.textContent = next.value === undefined ? '–' : withUnit(next.value, next);
      };
    }

    case 'select': {
      const select = document.createElement('select');
      select.setAttribute('aria-label', name);
      select.append(...(entity.options ?? []).map((option) => new Option(option, option)));
      select.addEventListener('change', () => void operate(select.value));
      row.append(label(name), select);
      return (next) => {
        select.value = next.value ?? '';
      };
    }

    default: {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = name;
      button.addEventListener('click', () => void operate('PRESS'));
      row.append(button);
      return () => {};
    }
  }
}

function readable(entity: Entity, name: string, row: HTMLLIElement, client: EntityClient): Show {
  row.append(label(name));
  if (entity.kind === 'picture') {
    const picture = document.createElement('img');
    picture.alt = name;
    picture.hidden = true;
    row.append(picture);
    return (next) => void showPicture(picture, next, client);
  }

  const value = document.createElement('output');
  row.append(value);
  return (next) => {
    value.textContent = next.isAvailable && next.value !== undefined ? describe(next) : '–';
    row.classList.toggle('active', entity.kind === 'binary_sensor' && next.value === 'ON');
  };
}

async function showPicture(picture: HTMLImageElement, entity: Entity, client: EntityClient): Promise<void> {
  const url = entity.picture ? await client.loadPicture(entity.picture) : undefined;
  URL.revokeObjectURL(picture.src);
  picture.hidden = url === undefined;
  picture.src = url ?? '';
}

function describe(entity: Entity): string {
  const value = entity.value ?? '';
  if (entity.kind === 'binary_sensor') {
    const [on, off] = binaryWords[entity.deviceClass ?? ''] ?? ['On', 'Off'];
    return value === 'ON' ? on : off;
  }

  if (entity.deviceClass === 'timestamp') {
    return new Date(value).toLocaleString();
  }

  return withUnit(value, entity);
}

function withUnit(value: string, entity: Entity): string {
  const number = Number(value);
  const text = entity.precision !== undefined && value !== '' && Number.isFinite(number) ? number.toFixed(entity.precision) : value;
  return entity.unit ? `${text} ${entity.unit}` : text;
}

function label(text: string): HTMLSpanElement {
  const span = document.createElement('span');
  span.textContent = text;
  return span;
}

function input(row: HTMLLIElement, name: string, type: string): HTMLInputElement {
  const box = document.createElement('label');
  const made = document.createElement('input');
  made.type = type;
  box.append(label(name), made);
  row.append(box);
  return made;
}

/** A slider that operates when it is let go, and tells what it passes until then. */
function range(
  row: HTMLLIElement, name: string, minimum: number, maximum: number, step: number,
  operate: (value: number) => Promise<void>, passing: (text: string) => void = () => {},
): (value: string | undefined) => void {
  const slider = document.createElement('input');
  slider.type = 'range';
  slider.setAttribute('aria-label', name);
  slider.min = String(minimum);
  slider.max = String(maximum);
  slider.step = String(step);
  let isHeld = false;
  slider.addEventListener('input', () => {
    isHeld = true;
    passing(slider.value);
  });
  slider.addEventListener('change', () => {
    isHeld = false;
    void operate(Number(slider.value));
  });
  row.append(slider);
  return (value) => {
    // Not under the finger.
    if (!isHeld && value !== undefined) {
      slider.value = value;
    }
  };
}
