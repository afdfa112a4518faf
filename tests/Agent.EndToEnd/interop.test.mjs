import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startHome } from './lib/home.mjs';
import { exercise, framesWanted, peers } from './lib/interop.mjs';

describe('Implementations of WebRTC that others wrote, over WHEP', () => {
  let home;
  before(async () => {
    // libdatachannel loses a race against itself where the way takes no time (peers/crowd.mjs).
    home = await startHome({ impaired: true });
    await home.network.link.set({ delayMilliseconds: 5 });
  });
  after(async () => {
    await home?.stop();
  });

  // What whep.test.mjs, roaming.test.mjs and firefox.test.mjs do with browsers is more than this.
  for (const peer of peers.filter(({ command }) => command)) {
    test(`${peer.name} connects, ${peer.decodes === false ? 'receives' : 'decodes'}${peer.channels ? ', commands over a data channel' : ''}${peer.restarts ? ', restarts ICE' : ''} and leaves`, async () => {
      const result = await exercise(peer, home);
      if (peer.decodes === false) {
        assert.ok(result.packets >= 2 * framesWanted, `${result.packets} packets`);
        return;
      }
      assert.ok(result.decoded >= framesWanted, `decoded ${result.decoded} frames`);
      assert.equal(result.decoded, result.frames, 'every frame that was complete is decoded');
      assert.equal(result.gaps, 0);
      assert.equal(result.complaints, '');
    });
  }
});
