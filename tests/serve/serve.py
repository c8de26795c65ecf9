#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""serve.py SERVE-LINES: what clients get of a page that is served, by plain sockets."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

MOST_STREAMS, MOST_CONNECTIONS, MOST_LINES = 16, 64, 4096
BODY = 2**29  # bytes; more than the server has of its own, and a sanitizer with it
TOKEN = "0123456789abcdef-._~"


class Server:
    """The lines that are written to it are served at .port."""

    def __init__(self, *arguments):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen([SERVE, *map(str, arguments)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def write(self, lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0  # less than a connection has that does not read
        self.process.stdout.close()

    def connect(self, buffer=None):
        client = socket.socket()
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.port))
        return client

    def send(self, target, method="GET", version="1.1", host="localhost", buffer=None, **headers):
        client = self.connect(buffer)
        lines = [f"{method} {target} HTTP/{version}", *([f"Host: {host}:{self.port}"] if host else []),
                 *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        return client

    def ask(self, target, **options):
        """Status, headers and body of an answer that has an end."""
        with self.send(target, Connection="close", **options) as client, client.makefile("rb") as file:
            return read_head(file) + (file.read(),)

    def status(self, target="/", **options):
        return self.ask(target, **options)[0]


@contextlib.contextmanager
def serve(*arguments):
    server = Server(*arguments)
    try:
        yield server
    finally:
        server.end()


def read_head(file):
    status = int(file.readline().split()[1])
    lines = iter(lambda: file.readline().strip().decode(), "")
    return status, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def read_chunks(file):
    """Lines of a body in chunks, up to its end or that of the connection."""
    rest = b""
    while size := int(file.readline() or b"0", 16):
        rest += file.read(size)
        file.readline()
        *lines, rest = rest.split(b"\n")
        yield from lines


def read_events(file):
    """Pairs of an id and a text, behind the head of an answer."""
    status, headers = read_head(file)
    assert (status, headers["content-type"]) == (200, "text/event-stream"), (status, headers)
    chunked = headers.get("transfer-encoding") == "chunked"
    found = None
    for line in read_chunks(file) if chunked else (line.rstrip(b"\n") for line in file):
        name, _, value = line.decode().partition(": ")
        if name == "id":
            found = value
        elif name == "data":
            yield found, value


def take(events, n):
    return [next(events) for _ in range(n)]


def number(found):
    return int(found.split("-")[1])


def test_page():
    """The page runs what is in it alone; what is no page has a remedy."""
    with serve("") as server:
        status, headers, body = server.ask("/")
        text = body.decode()
        assert status == 200 and headers["content-type"] == "text/html; charset=utf-8", headers
        for tag in ("style", "script"):
            part = re.search(rf"<{tag}>(.*)</{tag}>", text, re.DOTALL)[1].encode()
            digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in headers["content-security-policy"], headers
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|@import|<link[^>]*href=\"(?!data:)", text)
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
        status, of_head, body = server.ask("/", method="HEAD")
        assert (status, body, of_head["content-length"]) == (200, b"", headers["content-length"])
        assert server.ask("/events", method="HEAD")[::2] == (200, b"")
        for target in ("/x", "/events/", "//", "/index.html", "/../etc/passwd", "/?x/y"):
            assert server.status(target) == (200 if target == "/?x/y" else 404), target
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "BREW"):
            status, headers, body = server.ask("/", method=method)
            assert (status, headers["allow"]) == (405, "GET, HEAD") and b"Fix: " in body, (method, body)
        with server.send("/", method="POST", Content_Length=BODY) as client, client.makefile("rb") as file:
            client.sendall(bytes(BODY))
            assert read_head(file)[0] == 405
        memory = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        assert int(re.search(r"VmHWM:\s*(\d+) kB", memory)[1]) * 1024 < BODY, "a body was kept"


def test_lines():
    """A client that comes back goes on behind the line that it names, and the end ends the stream."""
    server = Server("127.0.0.1")
    lines = [json.dumps({"n": n}) for n in range(10)]
    server.write(lines[:4])
    with server.send("/events") as client, client.makefile("rb") as file:
        first = take(read_events(file), 4)
    assert [text for _, text in first] == lines[:4]
    run = first[0][0].split("-")[0]
    assert [found for found, _ in first] == [f"{run}-{n}" for n in range(1, 5)]
    assert json.loads(server.ask("/results.json")[2]) == {"last-id": f"{run}-4"}
    again = [server.send("/events", Last_Event_ID=first[1][0]), server.send(f"/events?after={first[2][0]}"),
             server.send(f"/events?after={first[0][0]}", Last_Event_ID=first[3][0]),
             server.send("/events", version="1.0", Last_Event_ID=first[3][0])]
    strange = [server.send("/events", Last_Event_ID=found)
               for found in ("00000000-2", f"{run}-99", f"{run}-", f"{run}--1", run, "'\"<", "")]
    server.write(lines[4:])
    files = [client.makefile("rb") for client in again + strange]
    starts = [2, 3, 4, 4] + [0] * len(strange)
    heard = [take(read_events(file), 10 - start) for file, start in zip(files, starts)]
    server.process.stdin.close()
    for events, start, file in zip(heard, starts, files):
        assert [text for _, text in events] == lines[start:], (start, events)
        assert [number(found) for found, _ in events] == list(range(start + 1, 11))
        assert file.read().strip(b"\r\n0") == b"", "there is more behind the end"
        file.close()
    for client in again + strange:
        client.close()
    server.end()


def test_names():
    """Without a token, a name that another site made lead here is refused, and so is that site."""
    with serve("") as server:
        for host in ("localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"):
            assert server.status(host=host) == 200, host
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", "[::2]", "", "["):
            for target in ("/", "/events", "/results.json"):
                status, _, body = server.ask(target, host=host, version="1.1" if host else "1.0")
                assert status in (400, 403), (host, target, status)
                assert status == 400 or b"Fix: " in body
        own = f"http://localhost:{server.port}"
        assert server.status(Origin=own) == 200
        for origin in ("http://evil.example", "null", f"https://localhost:{server.port}", own + "1"):
            assert server.status("/results.json", Origin=origin) == 403, origin


def test_token():
    """The token of a file comes in the URL, a cookie or a header, and a wrong one is refused."""
    path = WORK / "token"
    path.write_text(TOKEN + "\n", encoding="utf-8")
    with serve("", path) as server:
        assert server.url == f"http://127.0.0.1:{server.port}/?token={TOKEN}"
        for target in ("/", "/events", "/results.json", "/x"):
            status, headers, body = server.ask(target)
            assert (status, headers["www-authenticate"]) == (401, "Bearer") and b"Fix: " in body
        for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "x" * len(TOKEN)):
            assert server.status(f"/?token={wrong}") == 401, wrong
            assert server.status(Authorization=f"Bearer {wrong}") == 401, wrong
            assert server.status(Cookie=f"vyre-{server.port}={wrong}") == 401, wrong
        status, headers, _ = server.ask(f"/?token={TOKEN}", host="any.example")
        assert (status, headers["location"].rpartition("/")[2]) == (303, ""), headers
        cookie, *rest = headers["set-cookie"].split("; ")
        assert sorted(rest) == ["HttpOnly", "Path=/", "SameSite=Lax"], headers
        assert server.status(Cookie=f"a=b; {cookie}; c=d") == 200
        assert server.status(Cookie=f"x{cookie}") == 401
        assert server.status("/results.json", Authorization=f"Bearer {TOKEN}") == 200
        assert server.status(f"/results.json?token={TOKEN}", method="POST") == 405


def test_any_address():
    """An address that others reach has a token of its own."""
    with serve("0.0.0.0:0") as server, serve(":0") as other:
        token = re.fullmatch(r"http://[^/]+/\?token=([0-9a-f]{32})", server.url)[1]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", other.url), other.url
        assert (server.status(), server.status(f"/results.json?token={token}")) == (401, 200)
        with serve("0.0.0.0") as third:
            assert token not in third.url


def refuse(words, *arguments, before=()):
    done = subprocess.run([*before, SERVE, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 1 and re.search(words + r".* Fix: .*\.\n$", done.stderr), (arguments, done)


def test_errors():
    with serve("") as server:
        refuse(f"127.0.0.1:{server.port} cannot be served at: .*in use", server.port)
    refuse("192.0.2.1:8440 cannot be served at", "192.0.2.1:8440")
    for address in ("nowhere.example:80", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:", "99999", "1.2.3", "::1:80:", "[::1"):
        refuse(f"--serve={re.escape(address)} is no address", address)
    without = ["setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service"]
    start = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii"))
    if start > 81:
        refuse("127.0.0.1:81 cannot be served at: .*denied", ":81",
               before=without if os.geteuid() == 0 else [])
    refuse("No such file", "", WORK / "missing")
    for text in ("", "short", "0123456789abcdef with spaces", "x" * 257, "0123456789abcde\u00e9"):
        (WORK / "bad").write_text(text, encoding="utf-8")
        refuse("has no token", "", WORK / "bad")


def wait_for(server, n):
    while number(json.loads(server.ask("/results.json")[2])["last-id"]) < n:
        time.sleep(0.01)


def test_slow():
    """One that does not read holds up neither the lines nor the others, and is told what it missed."""
    count, text = 5 * MOST_LINES, "x" * 2000
    with serve("") as server:
        with server.send("/events", buffer=65536) as slow, server.send("/events") as fast:
            with slow.makefile("rb") as slow_file, fast.makefile("rb") as fast_file:
                server.write([f'"{n}{text}"' for n in range(1)])
                events = read_events(fast_file)
                take(events, 1)
                for start in range(1, count, 1024):
                    lines = [f'"{n}{text}"' for n in range(start, min(start + 1024, count))]
                    server.write(lines)
                    assert [line for _, line in take(events, len(lines))] == lines
                wait_for(server, count)
                seen = lost = 0
                for found, line in read_events(slow_file):
                    data = json.loads(line)
                    if isinstance(data, dict):
                        assert data["type"] == "lost", data
                        lost += data["lines"]
                    else:
                        assert data == f"{number(found) - 1}{text}"
                        seen += 1
                    assert number(found) == seen + lost, (found, seen, lost)
                    if seen + lost == count:
                        break
                assert lost > 0 and 0 < seen, (seen, lost)


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def open_streams(server, n):
    clients = [server.send("/events") for _ in range(n)]
    for client in clients:
        with client.makefile("rb") as file:
            assert read_head(file)[0] == 200
    return clients


def test_many():
    """So many may follow; one that goes, whichever way, leaves its place to another one."""
    with serve("") as server:
        for leave in (reset, socket.socket.close, reset):
            clients = open_streams(server, MOST_STREAMS)
            status, headers, body = server.ask("/events")
            assert (status, headers["retry-after"]) == (503, "10") and b"Fix: " in body
            assert server.status() == 200
            for client in clients:
                leave(client)
            while server.ask("/events", method="HEAD")[0] != 200 or not has_room(server):
                server.write(['"a line that finds out who has gone"'])


def has_room(server):
    with server.send("/events") as client, client.makefile("rb") as file:
        return read_head(file)[0] == 200


def test_connections():
    """Connections that ask for nothing are closed at once where there are too many."""
    with serve("") as server:
        idle = [server.connect() for _ in range(MOST_CONNECTIONS)]
        with contextlib.suppress(ConnectionError), server.send("/") as one_more:
            assert one_more.recv(1) == b"", "one more is answered"
        for client in idle:
            client.close()
        while True:
            with server.send("/") as client:
                try:
                    if client.recv(4096).startswith(b"HTTP/1.1 200"):
                        break
                except ConnectionResetError:
                    pass


def test_junk():
    """What is no request ends its connection alone."""
    with serve("") as server:
        for junk in (b"\r\n\r\n", b"\0" * 1000 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                     b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                     b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: " + b"x" * 200000 + b"\r\n\r\n"):
            with server.connect() as client:
                with contextlib.suppress(ConnectionError):
                    client.sendall(junk)
                    client.shutdown(socket.SHUT_WR)
                    assert not client.recv(65536).startswith(b"HTTP/1.1 200"), junk[:40]
        assert server.status() == 200


def test_end():
    """The end waits for no client that does not read."""
    server = Server("")
    with server.send("/events", buffer=65536) as slow:
        server.write([f'"{"x" * 2000}"'] * MOST_LINES)
        server.end()
        with slow.makefile("rb") as file:
            assert read_head(file)[0] == 200


def main():
    test_page()
    test_lines()
    test_names()
    test_token()
    test_any_address()
    test_errors()
    test_slow()
    test_many()
    test_connections()
    test_junk()
    test_end()


if __name__ == "__main__":
    SERVE = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        WORK = pathlib.Path(folder)
        main()
