"""What peer.mjs is, for peers in Python: WHEP, and the lines between a peer and the test."""

import json
import os
import re
import sys
import urllib.request
from urllib.parse import urljoin

ICE_LINE = re.compile(r"^a=(?:ice-ufrag|ice-pwd|candidate|end-of-candidates)\b.*\r?\n", re.MULTILINE)


def say(**message):
    print(json.dumps(message), flush=True)


class WhepSession:
    """A WHEP session (draft-ietf-wish-whep) that a peer opens with its offer. Its requests block."""

    def __init__(self):
        self.url = sys.argv[1]

    def open(self, offer):
        response = self._request(self.url, "POST", {"Content-Type": "application/sdp"}, offer)
        self.session = urljoin(self.url, response.headers["Location"])
        self.answer = response.read().decode()
        return self.answer

    def restart(self, offer):
        """Restarts ICE with the credentials of a new offer; returns the answer with the agent's new ones."""
        lines = [re.search(rf"^a={name}:.*$", offer, re.MULTILINE)[0].strip() for name in ("ice-ufrag", "ice-pwd")]
        lines += ["m=video 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0"]
        lines += [line.strip() for line in re.findall(r"^a=candidate:.*$", offer, re.MULTILINE)]
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
        fragment = self._request(self.session, "PATCH", headers, "\r\n".join(lines) + "\r\n").read().decode()
        first = self.answer.index("a=ice-ufrag:")
        head, tail = ICE_LINE.sub("", self.answer[:first]), ICE_LINE.sub("", self.answer[first:])
        self.answer = head + "".join(ICE_LINE.findall(fragment)) + tail
        return self.answer

    def close(self):
        self._request(self.session, "DELETE")

    @staticmethod
    def _request(url, method, headers=None, body=None):
        request = urllib.request.Request(url, body.encode() if body else None, headers or {}, method=method)
        if token := os.environ.get("WHEP_TOKEN"):
            request.add_header("Authorization", f"Bearer {token}")
        return urllib.request.urlopen(request, timeout=10)
