"""As much of HTTP/2 as it takes to say over it what no client would: a header
is any bytes, and frames come in any order (RFC 9113, RFC 7541)."""

import struct

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INDEXED_STATUS = {0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400,
                  0x8d: 404, 0x8e: 500}


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(
        ">BBI", kind, flags, stream) + payload


def _text(value):
    """A string literal without Huffman coding."""
    size = len(value)
    if size < 127:
        return bytes([size]) + value
    size, out = size - 127, b"\x7f"
    while size >= 128:
        out += bytes([size % 128 + 128])
        size //= 128
    return out + bytes([size]) + value


def block(headers):
    return b"".join(b"\x00" + _text(name) + _text(value)
                    for name, value in headers)


def ask(tls, headers, body=None):
    """Sends one request on a fresh connection; its status, or the name of
    the frame that refused it."""
    tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
    tls.sendall(frame(HEADERS, END_HEADERS | (
        END_STREAM if body is None else 0), 1, block(headers)))
    try:
        if body is not None:
            tls.sendall(frame(DATA, END_STREAM, 1, body))
        return _answer(tls)
    except (ConnectionError, BrokenPipeError):
        return "closed"


def _answer(tls):
    data = b""
    while True:
        while len(data) >= 9:
            size = int.from_bytes(data[:3], "big")
            if len(data) < 9 + size:
                break
            kind, payload = data[3], data[9:9 + size]
            data = data[9 + size:]
            if kind == HEADERS:
                return _status(payload)
            if kind == RST_STREAM:
                return "RST_STREAM"
            if kind == GOAWAY:
                return "GOAWAY"
        more = tls.recv(65536)
        if not more:
            return "closed"
        data += more


def _status(payload):
    """nginx sends :status first; a change of the table's size may precede."""
    while payload[0] & 0xe0 == 0x20:
        size = 1
        if payload[0] & 0x1f == 0x1f:
            while payload[size] & 0x80:
                size += 1
            size += 1
        payload = payload[size:]
    if payload[0] in INDEXED_STATUS:
        return INDEXED_STATUS[payload[0]]
    # A literal, with or without indexing, of the static table's name 8.
    assert payload[0] in (0x08, 0x18, 0x48) and payload[1] == 3, payload[:16]
    return int(payload[2:5])
