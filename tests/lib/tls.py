"""Certificates for tests, made by openssl, and handshakes as a client may
offer them."""

import socket
import ssl
import subprocess

KINDS = {
    "rsa2048": ["-newkey", "rsa:2048"],
    "rsa1024": ["-newkey", "rsa:1024"],
    "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ed25519": ["-newkey", "ed25519"],
}


def make_certificate(folder, kind="p256", serial=1, passphrase=None):
    """A self-signed certificate for localhost and its key: their paths."""
    cert, key = folder / f"{kind}-{serial}.crt", folder / f"{kind}-{serial}.key"
    protect = (["-passout", f"pass:{passphrase}"] if passphrase
               else ["-nodes"])
    done = subprocess.run(
        ["openssl", "req", "-x509", *KINDS[kind], *protect, "-days", "2",
         "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-set_serial",
         str(serial), "-keyout", str(key), "-out", str(cert)],
        text=True, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return cert, key


def client_context(ca=None, lowest=None, highest=None, ciphers=None):
    """A client that trusts the one certificate, or whatever comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        context.load_verify_locations(str(ca))
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ciphers:
        context.set_ciphers(ciphers)
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    return context


def handshake(port, context, timeout_s=10):
    """One connection, closed again: its version, cipher and certificate."""
    with socket.create_connection(("127.0.0.1", port), timeout_s) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            return (tls.version(), tls.cipher()[0],
                    tls.getpeercert(binary_form=True))


def serial_of(der):
    """The serial number of a certificate as it came over the wire."""
    done = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-serial"],
        input=der, capture_output=True, check=True)
    return int(done.stdout.decode().strip().split("=")[1], 16)
