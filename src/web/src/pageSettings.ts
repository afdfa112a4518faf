/** What the agent tells its page. */
export interface PageSettings {
  cameras: string[];
  mqtt?: { webSocketUrl: string; baseTopic: string };
  /** The agent's wall clock minus this browser's. */
  clockOffsetMilliseconds: number;
}

interface PageResponse {
  cameras: string[];
  mqtt?: { webSocketUrl: string; baseTopic: string } | null;
  unixTimeMilliseconds: number;
}

/** Asks the agent which cameras and broker it has, and how its clock differs from the browser's. */
export async function loadPageSettings(): Promise<PageSettings> {
  const sent = Date.now();
  const response = await fetch(new URL('api/page', document.baseURI));
  const received = Date.now();
  if (!response.ok) {
    throw new Error(`The agent answered ${response.status} to api/page.`);
  }

  const page = (await response.json()) as PageResponse;
  return {
    cameras: page.cameras,
    ...(page.mqtt ? { mqtt: page.mqtt } : {}),
    clockOffsetMilliseconds: page.unixTimeMilliseconds - (sent + received) / 2,
  };
}
