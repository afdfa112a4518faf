/** One way between the browser and the agent that was tried. */
interface Way {
  local: string;
  remote: string;
  protocol: string;
  outcome: string;
}

type Report = Record<string, unknown> & { id: string; type: string };

/** What a candidate's type means to somebody who has never heard of ICE. */
const kinds: Record<string, string> = {
  host: 'own address',
  srflx: 'address outside a router',
  prflx: 'address seen by the other side',
  relay: 'relay',
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

async function readReports(connection: RTCPeerConnection): Promise<Map<string, Report>> {
  return new Map(Array.from((await connection.getStats()).values() as Iterable<Report>, (report) => [report.id, report]));
}

/** The way that media takes: "direct, UDP", "through a relay, TCP", with both ends' kinds; empty while there is none. */
export async function describePath(connection: RTCPeerConnection): Promise<{ short: string; long: string }> {
  const reports = await readReports(connection);
  const transport = Array.from(reports.values()).find((report) => report.type === 'transport');
  // Firefox has no transport report and marks the pair itself.
  const pair = reports.get(text(transport?.['selectedCandidatePairId']))
    ?? Array.from(reports.values()).find((report) => report.type === 'candidate-pair' && report['selected'] === true);
  const local = reports.get(text(pair?.['localCandidateId']));
  const remote = reports.get(text(pair?.['remoteCandidateId']));
  if (!local || !remote) {
    return { short: '', long: '' };
  }

  const [here, there] = [text(local['candidateType']), text(remote['candidateType'])];
  const isRelayed = here === 'relay' || there === 'relay';
  const protocol = (here === 'relay' ? text(local['relayProtocol']) : '') || text(local['protocol']);
  return {
    short: `${isRelayed ? 'relay' : 'direct'}, ${protocol.toUpperCase()}`,
    long: `${kinds[here] ?? here} ↔ ${kinds[there] ?? there} of the camera (${addressOf(remote)})`,
  };
}

/** The ways that were tried and how each ended, as this browser saw it. */
export async function describeAttempts(connection: RTCPeerConnection): Promise<string[]> {
  const reports = await readReports(connection);
  const ways: Way[] = [];
  for (const pair of reports.values()) {
    const local = reports.get(text(pair['localCandidateId']));
    const remote = reports.get(text(pair['remoteCandidateId']));
    if (pair.type === 'candidate-pair' && local && remote) {
      ways.push({
        local: kinds[text(local['candidateType'])] ?? 'this browser',
        remote: addressOf(remote),
        protocol: text(local['protocol']).toUpperCase(),
        outcome: outcomeOf(pair),
      });
    }
  }

  return ways.length > 0
    ? ways.map((way) => `${way.protocol} from ${way.local} to ${way.remote}: ${way.outcome}`)
    : ['This browser found no address of the camera to try.'];
}

function addressOf(candidate: Report): string {
  const address = text(candidate['address']) || text(candidate['ip']) || 'a hidden address';
  return `${address.includes(':') ? `[${address}]` : address}:${Number(candidate['port'] ?? 0)}`;
}

function outcomeOf(pair: Report): string {
  const sent = Number(pair['requestsSent'] ?? 0);
  const answered = Number(pair['responsesReceived'] ?? 0);
  if (answered > 0) {
    return 'it worked, and then no longer.';
  }

  return sent > 0 ? `${sent} checks, no answer: a firewall in between, or no route.` : 'not tried yet.';
}
