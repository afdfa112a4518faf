import './style.css';
import { CaptureClock } from './captureClock';
import { DataChannels } from './dataChannels';
import { HousePanel } from './housePanel';
import { restartIce } from './iceRestart';
import { loadIceServers } from './iceServers';
import { describeAttempts, describePath } from './mediaPath';
import { loadPageSettings, type PageSettings } from './pageSettings';
import { PathWatch } from './pathWatch';
import { type Signalling, SignallingError, TokenNeededError } from './signalling';
import { type Statistics, StatisticsReader } from './statistics';
import { WhepSignalling } from './whep';

const statisticsIntervalMilliseconds = 1000;
const reconnectSeconds = 2;
/** A browser finds its first candidate within a tenth of a second, a busy machine's within one. */
const firstCandidateMilliseconds = 4000;
/** Chromium on Linux hides its addresses behind mDNS names, has no mDNS without IPv4, and then waits for ever. */
const noCandidates = 'This browser has found no address of its own. In a network with IPv6 alone it may need a STUN server: webrtc.iceServers in the agent\'s configuration.';
/** Where this browser keeps the agent's bearer token. */
const tokenKey = 'camera-agent-token';

type ViewerState = 'connecting' | 'live' | 'failed';

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`index.html has no element #${id}`);
  }

  return found as T;
}

const video = element<HTMLVideoElement>('video');
const query = new URLSearchParams(location.search);
let stopSession: (() => void) | undefined;
let reconnectTimer: ReturnType<typeof setTimeout> | undefined;
let stopHouse = new AbortController();
/** Of the session that runs now. */
let channels: DataChannels | undefined;

function show(state: ViewerState, text: string, notice = ''): void {
  const badge = element('state');
  badge.dataset['state'] = state;
  badge.textContent = text;
  const noticeBox = element('notice');
  noticeBox.textContent = notice;
  noticeBox.hidden = notice === '';
}

/** Shows the house next to the camera's picture, unless the page was asked for the picture alone. */
function showHouse(settings: PageSettings, camera: string): void {
  stopHouse.abort();
  stopHouse = new AbortController();
  if (query.get('panel') !== 'off') {
    void new HousePanel(element('house'), camera, settings.cameras, localStorage.getItem(tokenKey), () => channels).run(stopHouse.signal);
  }
}

async function createSignalling(settings: PageSettings, camera: string): Promise<Signalling> {
  if (query.get('signal') === 'mqtt') {
    if (!settings.mqtt) {
      throw new SignallingError('This agent has no MQTT broker for browsers: set mqtt.host and mqtt.webSocketUrl in its configuration.', reconnectSeconds * 5);
    }

    // The MQTT library is most of the page's weight: only those who use it load it.
    const { MqttSignalling } = await import('./mqttSignalling');
    return new MqttSignalling(query.get('broker') ?? settings.mqtt.webSocketUrl, settings.mqtt.baseTopic, camera);
  }

  return new WhepSignalling(new URL(`whep/${encodeURIComponent(camera)}`, document.baseURI), localStorage.getItem(tokenKey));
}

async function play(settings: PageSettings, camera: string): Promise<void> {
  clearTimeout(reconnectTimer);
  stopSession?.();
  show('connecting', 'Connecting');
  const connection = new RTCPeerConnection();
  let signalling: Signalling | undefined;
  let ended = false;

  const reader = new StatisticsReader();
  const clock = new CaptureClock(video, settings.clockOffsetMilliseconds);
  const watch = new PathWatch(connection);
  const timer = setInterval(() => {
    void reader.read(connection).then((statistics) => showStatistics(statistics, clock, channels));
    void describePath(connection).then(({ short, long }) => {
      element('path').textContent = short || '–';
      element('path').title = long;
    });
  }, statisticsIntervalMilliseconds);

  const stop = () => {
    if (!ended) {
      ended = true;
      clearInterval(timer);
      watch.stop();
      clock.stop();
      connection.close();
      signalling?.close();
    }
  };
  const fail = (message: string, seconds = reconnectSeconds) => {
    if (!ended) {
      stop();
      show('failed', 'Reconnecting', `${message} Trying again in ${seconds} s.`);
      reconnectTimer = setTimeout(() => void play(settings, camera), seconds * 1000);
    }
  };
  stopSession = stop;

  const findNewPath = async (active: Signalling): Promise<void> => {
    show('connecting', 'Reconnecting', 'Nothing arrives from the camera; looking for another way to it.');
    const restart = active.restart?.bind(active);
    if (!restart) {
      fail('The way to the camera is gone.', 0);
      return;
    }

    try {
      await restartIce(connection, { restart });
    } catch (error) {
      // A session that is gone: a new one, at once. A network that is away: the watch asks again.
      if (!(error instanceof SignallingError)) {
        throw error;
      }

      fail(error.message, error.retryAfter);
    }
  };

  /** What the agent says of each way first, as it knows why; what this browser saw where the agent cannot be asked. */
  const explainFailure = async (): Promise<void> => {
    const attempts = await (signalling?.explain?.() ?? Promise.resolve([])).catch(() => []);
    showAttempts(attempts.length > 0 ? attempts : await describeAttempts(connection));
    fail('No way to the camera was found, or it broke.');
  };

  connection.addTransceiver('video', { direction: 'recvonly' });
  channels = new DataChannels(connection, settings.clockOffsetMilliseconds);
  connection.ontrack = (event) => {
    video.srcObject = new MediaStream([event.track]);
    // Show each frame as soon as it is decoded.
    event.receiver.jitterBufferTarget = 0;
  };
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === 'connected') {
      show('live', 'Live');
      showAttempts([]);
    } else if (connection.connectionState === 'failed') {
      void explainFailure();
    }
  };

  try {
    const active = await createSignalling(settings, camera);
    signalling = active;
    element('signalling').textContent = active.name;
    active.onFailure = fail;
    active.onRemoteCandidate = (candidate) => void connection.addIceCandidate(candidate);
    let hasCandidate = false;
    connection.onicecandidate = (event) => {
      hasCandidate ||= event.candidate !== null;
      active.trickle(event.candidate);
    };
    if (settings.hasIceServers) {
      // Before gathering begins, which setLocalDescription starts.
      connection.setConfiguration({ iceServers: await loadIceServers(localStorage.getItem(tokenKey), reconnectSeconds) });
    }

    watch.onSilent = () => findNewPath(active);
    watch.onHeard = () => show('live', 'Live');
    await connection.setLocalDescription();
    const answer = await active.offer(connection.localDescription?.sdp ?? '');
    if (!ended) {
      await connection.setRemoteDescription({ type: 'answer', sdp: answer });
      setTimeout(() => {
        if (!ended && !hasCandidate && connection.connectionState !== 'connected') {
          show('connecting', 'Connecting', noCandidates);
        }
      }, firstCandidateMilliseconds);
    }
  } catch (error) {
    if (error instanceof TokenNeededError) {
      stop();
      askForToken(settings, camera, error.message);
    } else {
      fail(error instanceof Error ? error.message : String(error), error instanceof SignallingError ? error.retryAfter : reconnectSeconds);
    }
  }
}

/** The ways to the camera that were tried in vain, each with its reason. */
function showAttempts(attempts: string[]): void {
  element('attempts').hidden = attempts.length === 0;
  element('attempts-list').replaceChildren(...attempts.map((attempt) => Object.assign(document.createElement('li'), { textContent: attempt })));
}

function askForToken(settings: PageSettings, camera: string, message: string): void {
  show('failed', 'Token needed', message);
  const form = element<HTMLFormElement>('token-form');
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    form.hidden = true;
    localStorage.setItem(tokenKey, element<HTMLInputElement>('token').value);
    showHouse(settings, camera);
    void play(settings, camera);
  };
  element('token').focus();
}

function showStatistics(statistics: Statistics, clock: CaptureClock, data: DataChannels | undefined): void {
  const text = (id: string, value: number | undefined, format: (value: number) => string) => {
    element(id).textContent = value === undefined ? '–' : format(value);
  };
  // For scripts that watch the page.
  video.dataset['framesDecoded'] = String(statistics.framesDecoded ?? 0);
  video.dataset['statisticsTimestamp'] = String(statistics.timestamp ?? 0);
  text('resolution', statistics.width, (width) => `${width} × ${statistics.height}`);
  text('frame-rate', statistics.framesPerSecond, (value) => `${value.toFixed(1)} fps`);
  text('bitrate', statistics.bitsPerSecond, (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(2)} Mbit/s` : `${(value / 1e3).toFixed(0)} kbit/s`));
  text('packet-loss', statistics.packetLoss, (value) => `${(value * 100).toFixed(1)} %`);
  text('round-trip-time', statistics.roundTripMilliseconds, (value) => `${value.toFixed(0)} ms`);

  text('telemetry', data?.telemetryMilliseconds, (value) => `${value.toFixed(0)} ms`);

  const measured = clock.latencyMilliseconds;
  if (measured !== undefined) {
    element('latency').textContent = `${measured.toFixed(0)} ms`;
    element('latency').title = 'Measured from the timecode in the picture.';
  } else if (statistics.bufferMilliseconds !== undefined && statistics.roundTripMilliseconds !== undefined) {
    element('latency').textContent = `≈ ${(statistics.bufferMilliseconds + statistics.roundTripMilliseconds / 2).toFixed(0)} ms`;
    element('latency').title = 'Half the round trip plus the receive buffer; without the camera and the encoder.';
  } else {
    element('latency').textContent = '–';
  }
}

async function start(): Promise<void> {
  const settings = await loadPageSettings();
  const camera = query.get('camera') ?? settings.cameras[0] ?? 'main';
  element('camera-name').textContent = camera;
  document.title = camera;
  if (settings.cameras.length > 1) {
    const select = element<HTMLSelectElement>('camera-select');
    select.hidden = false;
    element('camera-name').hidden = true;
    select.append(...settings.cameras.map((name) => new Option(name, name, name === camera, name === camera)));
    select.addEventListener('change', () => {
      query.set('camera', select.value);
      location.search = query.toString();
    });
  }

  element('fullscreen').addEventListener('click', () => void video.requestFullscreen());
  window.addEventListener('pagehide', () => {
    stopSession?.();
    stopHouse.abort();
  });
  showHouse(settings, camera);
  await play(settings, camera);
}

start().catch((error: unknown) => {
  show('failed', 'Failed', error instanceof Error ? error.message : String(error));
});
