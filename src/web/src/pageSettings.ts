/** What the agent tells its page. */
export interface PageSettings {
  cameras: string[];
  mqtt?: { webSocketUrl: string; baseTopic: string };
  /** Whether {@link loadIceServers} has any to give. */
  hasIceServers: boolean;
  /** The agent's wall clock minus this browser's. */
  clockOffsetMilliseconds: number;
}

interface PageResponse {
  cameras: string[];
  mqtt?: { webSocketUrl: string; baseTopic: string } | null;
  hasIceServers: boolean;
  unixTimeMilliseconds: number;
}

const clockSamples = 5;

/** Asks the agent which cameras and broker it has, and how its clock differs from the browser's. */
export async function loadPageSettings(): Promise<PageSettings> {
  let page: PageResponse | undefined;
  let clockOffsetMilliseconds = 0;
  let shortest = Infinity;
  // The shortest exchange had the least delay that could lie to one side only.
  for (let sample = 0; sample < clockSamples; sample++) {
    const sent = Date.now();
    const response = await fetch(new URL('api/page', document.baseURI));
    const roundTrip = Date.now() - sent;
    if (!response.ok) {
      throw new Error(`The agent answered ${response.status} to api/page.`);
    }

    page = (await response.json()) as PageResponse;
    if (roundTrip < shortest) {
      shortest = roundTrip;
      clockOffsetMilliseconds = page.unixTimeMilliseconds - (sent + roundTrip / 2);
    }
  }

  return {
    cameras: page?.cameras ?? [],
    hasIceServers: page?.hasIceServers ?? false,
    ...(page?.mqtt ? { mqtt: page.mqtt } : {}),
    // An offset within its own uncertainty is none: both clocks agree, or are the same clock.
    clockOffsetMilliseconds: Math.abs(clockOffsetMilliseconds) <= shortest / 2 + 1 ? 0 : clockOffsetMilliseconds,
  };
}
