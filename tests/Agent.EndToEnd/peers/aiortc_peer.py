"""aiortc: an independent implementation of ICE, DTLS-SRTP and RTP in Python; decodes with libavcodec."""

import asyncio
import sys

import aiortc
from peer import WhepSession, say

FRAMES_PER_MESSAGE = 5


async def main():
    say(peer="aiortc", version=aiortc.__version__)
    whep = WhepSession()
    connection = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=[]))
    connection.on("connectionstatechange", lambda: say(state=connection.connectionState))
    frames = 0

    async def count(track):
        nonlocal frames
        while True:
            try:
                await track.recv()
            except aiortc.mediastreams.MediaStreamError:
                return
            frames += 1
            if frames % FRAMES_PER_MESSAGE == 0:
                say(frames=frames)

    connection.on("track", lambda track: asyncio.ensure_future(count(track)))
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    answer = await asyncio.to_thread(whep.open, connection.localDescription.sdp)
    await connection.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer"))

    while (line := (await asyncio.to_thread(sys.stdin.readline)).strip()) not in ("close", ""):
        say(error=f"unknown command {line}")
    await asyncio.to_thread(whep.close)
    say(closed=True, frames=frames, decoded=frames)
    await connection.close()


try:
    asyncio.run(main())
except Exception as error:
    say(error=repr(error))
    raise
