import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ImpairedLink } from './impairment.mjs';
import { NetworkNamespace, newInterfaceName, newPrefix } from './namespace.mjs';

const run = promisify(execFile);

/**
 * What a router does to UDP (RFC 4787). Mapping: the outside port is the inside one for every destination (endpoint-independent), or
 * drawn for each (address- and port-dependent). Filtering: who may answer to it.
 */
const kinds = {
  'full-cone': { mapping: 'preserve', filtering: 'anyone' },
  'address-restricted': { mapping: 'preserve', filtering: 'address' },
  'port-restricted': { mapping: 'preserve', filtering: 'address and port' },
  symmetric: { mapping: 'random', filtering: 'address and port' },
};

/**
 * A public network of machines (`addHost`) and homes behind routers (`addHome`). This process has an address in it, so that tests reach what
 * is public. Remove the whole with `remove`, also after a test failed; it goes away by itself when the process ends. Needs root, nftables and
 * conntrack.
 */
export class Internet {
  static async create() {
    const internet = new Internet();
    internet.core = new NetworkNamespace();
    internet.removable = [internet.core];
    await internet.core.open();
    try {
      internet.prefix = await newPrefix();
      internet.lastAddress = 1;
      const { core } = internet;
      await core.inside('link', 'add', 'bridge', 'type', 'bridge');
      await core.inside('link', 'set', 'bridge', 'up');
      const wire = newInterfaceName();
      await run('ip', ['link', 'add', wire, 'type', 'veth', 'peer', 'name', 'tests', 'netns', String(core.processId)]);
      await run('ip', ['addr', 'add', `${internet.testAddress}/24`, 'dev', wire]);
      await run('ip', ['link', 'set', wire, 'up']);
      await internet.plugIn('tests');
    } catch (error) {
      await internet.remove();
      throw error;
    }
    return internet;
  }

  /** The address of the test process. */
  get testAddress() {
    return `${this.prefix}.1`;
  }

  /** A machine with a public address (`address`), for a STUN or TURN server, a broker, or a viewer. */
  async addHost({ impaired = false, seed = 1 } = {}) {
    const host = await this.open();
    host.address = this.newAddress();
    await this.connect(host, 'eth0', host.address, { impaired, seed });
    // coturn closes an allocation when a peer is unroutable.
    await host.inside('route', 'add', 'default', 'via', this.testAddress);
    return host;
  }

  /**
   * A home: a machine (`host`, at `address`) behind a router with a public address.
   * @param {object} options
   * @param {keyof typeof kinds} options.kind What the router does to UDP.
   * @param {'open' | 'blocked'} options.udp Whether UDP leaves the home at all.
   * @param {number[]} options.tcpPorts The only TCP ports that may be reached from the home; all if left out.
   * @param {Record<number, number>} options.forwardTcp Ports of the router's public address, and the ports of `host` that they lead to.
   * @param {Record<number, number>} options.forwardUdp The same for UDP.
   * @param {boolean} options.impaired Whether the router's wire to the public network is an ImpairedLink, `link`: 'ab' leads into the home.
   */
  async addHome({ impaired = false, seed = 1, ...rules } = {}) {
    const router = await this.open();
    const host = await this.open();
    const home = new Home(router, host);
    home.publicAddress = this.newAddress();
    home.link = await this.connect(router, 'wan', home.publicAddress, { impaired, seed });
    await router.inside('link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(host.processId));
    await router.inside('addr', 'add', `${home.gateway}/24`, 'dev', 'lan');
    await router.inside('link', 'set', 'lan', 'up');
    await host.inside('addr', 'add', `${home.address}/24`, 'dev', 'eth0');
    await host.inside('link', 'set', 'eth0', 'up');
    await host.inside('route', 'add', 'default', 'via', home.gateway);
    await router.execute('sysctl', '-q', 'net.ipv4.ip_forward=1');
    await home.setRules(rules);
    return home;
  }

  async remove() {
    // Links before the namespaces that they join.
    for (const removable of this.removable.reverse()) {
      await removable.remove();
    }
    this.removable = [];
  }

  async open() {
    const namespace = new NetworkNamespace();
    await namespace.open();
    this.removable.push(namespace);
    return namespace;
  }

  newAddress() {
    return `${this.prefix}.${++this.lastAddress}`;
  }

  async connect(namespace, device, address, { impaired, seed }) {
    const port = newInterfaceName();
    if (impaired) {
      namespace.link = await ImpairedLink.create({ processId: this.core.processId, device: port }, { processId: namespace.processId, device }, { seed });
      this.removable.push(namespace.link);
    } else {
      await this.core.inside('link', 'add', port, 'type', 'veth', 'peer', 'name', device, 'netns', String(namespace.processId));
    }
    await this.plugIn(port);
    await namespace.inside('addr', 'add', `${address}/24`, 'dev', device);
    await namespace.inside('link', 'set', device, 'up');
    return namespace.link;
  }

  async plugIn(port) {
    await this.core.inside('link', 'set', port, 'master', 'bridge');
    await this.core.inside('link', 'set', port, 'up');
  }
}

class Home {
  gateway = '10.0.0.1';
  address = '10.0.0.2';

  constructor(router, host) {
    this.router = router;
    this.host = host;
  }

  /** Changes what the router does, from the next packet on: it forgets every mapping. Options as for `addHome`. */
  async setRules({ kind = 'port-restricted', udp = 'open', tcpPorts, forwardTcp = {}, forwardUdp = {} } = {}) {
    const { mapping, filtering } = kinds[kind];
    const forwards = [['tcp', forwardTcp], ['udp', forwardUdp]].flatMap(([protocol, ports]) =>
      Object.entries(ports).map(([from, to]) => `iifname "wan" ${protocol} dport ${from} dnat to ${this.address}:${to}`));
    // Beyond what connection tracking lets in by itself, which is answers from the very address and port that was sent to.
    const answers = {
      anyone: `iifname "wan" udp dport @mapped dnat to ${this.address}`,
      address: `iifname "wan" udp dport . ip saddr @contacted dnat to ${this.address}`,
      'address and port': '',
    }[filtering];
    await this.load(`
      flush ruleset
      table ip router {
        set mapped { type inet_service; flags dynamic, timeout; timeout 60s; }
        set contacted { type inet_service . ipv4_addr; flags dynamic, timeout; timeout 60s; }
        chain remember {
          type filter hook forward priority 10;
          iifname "lan" meta l4proto udp update @mapped { udp sport }
          iifname "lan" meta l4proto udp update @contacted { udp sport . ip daddr }
        }
        chain inbound {
          type nat hook prerouting priority dstnat;
          ${forwards.join('\n')}
          ${answers}
        }
        chain outbound {
          type nat hook postrouting priority srcnat;
          oifname "wan" masquerade ${mapping === 'random' ? 'fully-random' : ''}
        }
        chain here {
          # Without this an early packet of the other side takes the port, and the mapping gets another one.
          type filter hook input priority filter;
          iifname "wan" ct state new drop
        }
        chain across {
          type filter hook forward priority filter; policy drop;
          ${udp === 'blocked' ? 'meta l4proto udp drop' : ''}
          ${tcpPorts ? `iifname "lan" ct state new tcp dport != { ${tcpPorts.join(', ')} } drop` : ''}
          ct state established,related accept
          iifname "lan" accept
          ct status dnat accept
        }
      }`);
    // Connections from before would go on without asking the chains of type nat.
    await this.router.execute('conntrack', '-F');
  }

  async load(rules) {
    const [program, ...rest] = [...this.router.wrapper, 'nft', '-f', '-'];
    const loading = run(program, rest);
    loading.child.stdin.end(rules);
    await loading;
  }
}
