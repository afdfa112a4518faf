import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/**
 * A UDP socket in some network namespace that a test sends from and listens at. As a program it is its other half: lines
 * "ADDRESS PORT TEXT" on standard input are sent, datagrams that come are written the same way, and those with the text "echo …" are sent
 * back whence they came.
 */
export class UdpProbe {
  received = [];

  /** With a namespace it is there, else it is where this process is. */
  static async open(port, namespace) {
    const probe = new UdpProbe();
    const [program, ...parameters] = [...(namespace?.wrapper ?? []), process.execPath, import.meta.filename, String(port)];
    probe.process = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
    probe.exited = once(probe.process, 'exit');
    const lines = createInterface({ input: probe.process.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => {
      const [address, from, ...words] = line.split(' ');
      probe.received.push({ address, port: Number(from), text: words.join(' '), at: performance.now() });
    });
    return probe;
  }

  send(address, port, text) {
    this.process.stdin.write(`${address} ${port} ${text}\n`);
  }

  /** The first datagram with this text, once it is there. */
  find(text) {
    return this.received.find((datagram) => datagram.text === text);
  }

  async close() {
    this.process.stdin.end();
    await this.exited;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const socket = createSocket('udp4');
  socket.bind(Number(process.argv[2]), () => console.log('ready'));
  socket.on('message', (message, { address, port }) => {
    console.log(`${address} ${port} ${message}`);
    if (message.toString().startsWith('echo ')) {
      socket.send(message.toString().replace('echo ', 'echoed '), port, address);
    }
  });
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [address, port, ...words] = line.split(' ');
    socket.send(words.join(' '), Number(port), address);
  }).on('close', () => socket.close());
}
