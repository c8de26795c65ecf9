# SPDX-License-Identifier: LGPL-2.1-or-later
"""A run of vyre-qc whose film comes as slowly as a test wants, and a proxy that can cut its clients off."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "qc"))
import films  # noqa: E402  pylint: disable=wrong-import-position

FRAMES, LATER = 20, 20  # of a ball with a noise, of black and silence


def make_film(path):
    """Of a frame a second; the second part has events."""
    parts = [("ball", "white-noise", FRAMES), ("black", "silence", LATER)]
    sound = "audio/x-raw,format=S16LE,rate=8000,channels=1"
    video = " ".join(f"videotestsrc num-buffers={n} pattern={pattern} ! {films.CAPS} ! v." for pattern, _, n in parts)
    audio = " ".join(f"audiotestsrc num-buffers={n} samplesperbuffer=8000 wave={wave} ! {sound} ! a."
                     for _, wave, n in parts)
    films.launch(f"matroskamux name=mux ! filesink location={path} concat name=v ! {films.CAPS} ! queue ! mux. "
                 f"concat name=a ! {sound} ! queue ! mux. {video} {audio}")


class Run:
    """vyre-qc with a page, whose first film is what feed() gives it."""

    def __init__(self, program, *arguments):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.PIPE, text=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        line = self.process.stderr.readline().decode()
        self.url = re.fullmatch(r"vyre-qc: The page is at (http://\S+/\S*)\n", line)[1]
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def feed(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def wait(self):
        """The exit status, and what came on standard error behind the URL."""
        said = self.process.stderr.read().decode()
        status = self.process.wait(timeout=60)
        self.process.stderr.close()
        return status, said

    def ask(self, target, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{target}", headers=headers)
        return urllib.request.urlopen(request, timeout=60)  # pylint: disable=consider-using-with

    def read_state(self):
        with self.ask("results.json") as answer:
            return json.load(answer)

    def read_lines(self, **headers):
        """The lines up to the end, or as long as the caller wants."""
        with self.ask("events", **headers) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()


class Proxy:
    """Hands connections on to a port, until it is told to cut them."""

    def __init__(self, port):
        self.target, self.sockets, self.lock = port, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                with self.lock:
                    self.sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self.copy, args=pair, daemon=True).start()

    @staticmethod
    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        """Ends all connections that there are."""
        with self.lock:
            for each in self.sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self.sockets.clear()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
