#!/bin/sh
# websocket-client: `close()` after the server has said that it closes.
#
# Expected: close() closes the socket, whichever side began (RFC 6455, 5.5.1 and 7.1.1: the client may wait for the server
# to close the TCP connection, but gives it up in the end).
# Seen: once recv_data() has met the server's close frame, and has answered it, `connected` is False, close() returns at
# once, and the socket stays open. The object is part of a reference cycle: the descriptor goes only when the garbage
# collector comes by, with a ResourceWarning that names no place. shutdown() does close it.
# Exits with 1 where this changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check websocket-client==1.9.2
env -i PATH="$PATH" "$work/venv/bin/python" - <<'PY'
import base64, hashlib, socket, sys, threading
import websocket

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
listener = socket.create_server(("127.0.0.1", 0))


def serve():
    connection, _ = listener.accept()
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += connection.recv(4096)
    key = next(line.split(b": ")[1] for line in asked.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept + b"\r\n\r\n" + b"\x88\x02\x03\xe8"
    )
    connection.settimeout(10)
    while connection.recv(4096):
        pass
    connection.close()


threading.Thread(target=serve).start()
client = websocket.WebSocket()
client.connect(f"ws://127.0.0.1:{listener.getsockname()[1]}/")
opcode, _ = client.recv_data()
client.close()
still_open = client.sock is not None and client.sock.fileno() >= 0
print("websocket-client", websocket.__version__, "close frame received:", opcode == websocket.ABNF.OPCODE_CLOSE)
print("after close(): socket open:", still_open, "connected:", client.connected)
client.shutdown()
closed = client.sock is None
print("after shutdown(): socket closed:", closed)
listener.close()
sys.exit((still_open, closed) != (True, True))
PY
