"""A WHIP server (RFC 9725) on aiortc that decodes what it is sent.

whip-server.py PORT TOKEN [ADDRESS [LINK]]: listens on ADDRESS (127.0.0.1); with LINK its answers have that Link header. It answers POST /whip, sends POST /elsewhere on to it, ends sessions on DELETE /session/N. Each line of standard
output is one JSON object: {"frames": N, "width": W, "height": H} after every tenth frame, {"ended": N} when a session was deleted.
"""
import asyncio
import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

port, token = int(sys.argv[1]), sys.argv[2]
address, link = (sys.argv[3:] + ["127.0.0.1", ""][len(sys.argv) - 3:])[:2]
loop = asyncio.new_event_loop()
sessions = {}


def say(**what):
    print(json.dumps(what), flush=True)


async def watch(track):
    frames = 0
    try:
        while True:
            frame = await track.recv()
            frames += 1
            if frames % 10 == 0:
                say(frames=frames, width=frame.width, height=frame.height)
    except MediaStreamError:
        pass


async def answer(offer):
    peer = RTCPeerConnection()
    peer.on("track", lambda track: asyncio.ensure_future(watch(track)))
    await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    number = len(sessions) + 1
    sessions[number] = peer
    return number, peer.localDescription.sdp


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/elsewhere":
            return self.reply(307, Location="/whip")
        if self.headers.get("Authorization") != f"Bearer {token}":
            return self.reply(401, "no such token")
        if self.headers["Content-Type"] != "application/sdp":
            return self.reply(415)
        number, sdp = asyncio.run_coroutine_threadsafe(answer(body), loop).result()
        self.reply(201, sdp, Location=f"/session/{number}", **{"Content-Type": "application/sdp"}, **({"Link": link} if link else {}))

    def do_DELETE(self):
        number = int(self.path.rsplit("/", 1)[1])
        peer = sessions.get(number)
        if peer is None or self.headers.get("Authorization") != f"Bearer {token}":
            return self.reply(404)
        asyncio.run_coroutine_threadsafe(peer.close(), loop).result()
        say(ended=number)
        self.reply(200)

    def reply(self, status, body="", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


async def close():
    await asyncio.gather(*(peer.close() for peer in sessions.values()))
    loop.stop()


loop.add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(close()))
threading.Thread(target=ThreadingHTTPServer((address, port), Handler).serve_forever, daemon=True).start()
say(listening=port)
loop.run_forever()
