"""GStreamer's webrtcbin: ICE by libnice, DTLS by OpenSSL, SRTP by libsrtp, RTP by its own jitter buffer; decodes with libavcodec."""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

from peer import WhepSession, say  # noqa: E402

FRAMES_PER_MESSAGE = 5
OFFERED = "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,packetization-mode=(string)1"


class Viewer:
    def __init__(self):
        self.whep = WhepSession()
        self.frames = 0
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new("viewer")
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("notify::connection-state", self.on_state)
        self.webrtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.webrtc.connect("pad-added", self.on_pad)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self.fail(message.parse_error()))
        self.pipeline.set_state(Gst.State.PLAYING)
        self.webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(OFFERED))
        self.ask("create-offer", None, self.on_offer)

    def ask(self, signal, argument, then):
        # A promise that is collected is never answered.
        self.promise = Gst.Promise.new_with_change_func(then)
        self.webrtc.emit(signal, argument, self.promise)

    def on_offer(self, promise):
        reply = promise.get_reply()  # the offer lives as long as it does
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, *_):
        if self.webrtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        try:
            answer = self.whep.open(self.webrtc.get_property("local-description").sdp.as_text())
        except Exception as error:
            self.fail(error)
            return
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.webrtc.emit("set-remote-description", description, Gst.Promise.new())

    def on_state(self, *_):
        say(state=self.webrtc.get_property("connection-state").value_nick)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        decoder = Gst.parse_bin_from_description("rtph264depay ! h264parse ! avdec_h264 ! fakesink name=sink sync=false signal-handoffs=true", True)
        self.pipeline.add(decoder)
        decoder.get_by_name("sink").connect("handoff", self.on_frame)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def on_frame(self, *_):
        self.frames += 1
        if self.frames % FRAMES_PER_MESSAGE == 0:
            say(frames=self.frames)

    def fail(self, error):
        say(error=repr(error))
        GLib.idle_add(self.loop.quit)

    def follow_commands(self):
        for line in sys.stdin:
            if line.strip() == "close":
                break
        try:
            self.whep.close()
            say(closed=True, frames=self.frames, decoded=self.frames)
        except Exception as error:
            say(error=repr(error))
        GLib.idle_add(self.loop.quit)

    def run(self):
        threading.Thread(target=self.follow_commands, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)


Gst.init(None)
say(peer="GStreamer webrtcbin", version=".".join(str(number) for number in Gst.version()[:3]))
Viewer().run()
