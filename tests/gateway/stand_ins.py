"""What gateways send that we have no program of, by their manuals, and what
code of one's own does."""

import http.client


class Asks:
    """What a gateway sends that we have no program of.  The answer is what
    the caller gets, or 200."""

    def __init__(self, check):
        self.check = check

    def call(self, path="/", method="GET", body=None, headers=(), link=None):
        one = link or self.link()
        one.putrequest(*self.line(method, path), skip_host=True,
                       skip_accept_encoding=True)
        for name, value in self.headers(method, path, headers):
            one.putheader(name, value)
        one.endheaders()
        answer = one.getresponse()
        answer.text = answer.read().decode()
        if link is None:
            one.close()
        return answer

    def link(self):
        return http.client.HTTPConnection("127.0.0.1", self.check, timeout=30)

    def close(self):
        pass


class Envoy(Asks):
    """ext_authz over HTTP: the call's own line behind path_prefix, the headers
    of allowed_headers, and never a body."""

    name = "envoy"

    def line(self, method, path):
        return method, "/check/envoy" + path

    def headers(self, _method, _path, came):
        allowed = ("ocp-apim-subscription-key", "authorization", "x-api-key",
                   "x-tenant-name", "x-revio-host")
        return [("host", "api.example.com"), ("content-length", "0"),
                *((n.lower(), v) for n, v in came if n.lower() in allowed),
                ("x-latchkey-environment", "live"),
                ("x-envoy-internal", "true"), ("x-forwarded-for", "10.0.0.9"),
                ("x-envoy-expected-rq-timeout-ms", "2000")]


class Traefik(Asks):
    """ForwardAuth: a GET with the caller's headers and X-Forwarded-*."""

    name = "traefik"
    gone = ("x-original-method", "x-original-uri", "connection", "host",
            "x-forwarded-method", "x-forwarded-uri", "x-latchkey-secret",
            "x-latchkey-tenant", "x-latchkey-api-user", "x-latchkey-product",
            "x-latchkey-environment")

    def line(self, _method, _path):
        return "GET", "/check"

    def headers(self, method, path, came):
        return [("Host", f"127.0.0.1:{self.check}"),
                ("User-Agent", "Go-http-client/1.1"),
                *((n, v) for n, v in came if n.lower() not in self.gone),
                ("X-Latchkey-Environment", "live"),
                ("X-Forwarded-For", "10.0.0.9"),
                ("X-Forwarded-Host", "api.example.com"),
                ("X-Forwarded-Method", method),
                ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Server", "edge"), ("X-Forwarded-Uri", path),
                ("Accept-Encoding", "gzip")]


class Plain(Asks):
    """Code of one's own: what /check reads, and which environment it is."""

    name = "check"

    def line(self, _method, _path):
        return "GET", "/check"

    def headers(self, method, path, came):
        return [("Host", "latchkey"), ("X-Forwarded-Method", method),
                ("X-Latchkey-Environment", "live"),
                ("X-Forwarded-Uri", path), *came]


ALL = {one.name: one for one in (Envoy, Traefik, Plain)}
