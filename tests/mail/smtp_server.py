"""Mail servers for the courier's tests: aiosmtpd on loopback, with what a test
wants to go wrong."""

import asyncio
import email
import email.policy
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from lib.base import free_port

USER, PASSWORD = "courier", "s3cret+of:smtp"


def make_certificate(folder):
    """A certificate for localhost that signs itself: (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    return cert, key


class SmtpServer:
    """`rcpt` and `data` are answers in place of the good ones, each used as
    often as it stands in the list; `die` closes the connection that many times
    after the message has come; `slow_s` waits before the last answer."""

    def __init__(self, certificate=None, auth=False, rcpt=(), data=(), die=0,
                 slow_s=0, host="127.0.0.1", port=None):
        self.messages, self.tls, self.users = [], [], []
        self.rcpt, self.data = list(rcpt), list(data)
        self.die, self.slow_s = die, slow_s
        self.deliveries = 0         # messages that came whole
        self.busy = threading.Event()
        self.port = port or free_port()
        kwargs = {}
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            kwargs.update(tls_context=context, require_starttls=True)
        if auth:
            kwargs.update(authenticator=self._auth, auth_required=True,
                          auth_require_tls=bool(certificate))
        self.controller = Controller(self, hostname=host, port=self.port,
                                     ready_timeout=10, **kwargs)
        self.controller.start()

    def close(self):
        self.controller.stop()

    def _auth(self, _server, _session, _envelope, _mechanism, data):
        good = (data.login, data.password) == (USER.encode(),
                                               PASSWORD.encode())
        if good:
            self.users.append(data.login.decode())
        # handled=False makes aiosmtpd itself answer 535.
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(self, _server, _session, envelope, address, _opts):
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.busy.set()
        self.deliveries += 1
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.die > 0:
            self.die -= 1
            server.transport.abort()
            return "451 gone"
        if self.data:
            return self.data.pop(0)
        message = email.message_from_bytes(envelope.content,
                                           policy=email.policy.default)
        message.envelope_to = envelope.rcpt_tos
        message.envelope_from = envelope.mail_from
        self.tls.append(session.ssl is not None)
        self.messages.append(message)
        return "250 taken"
