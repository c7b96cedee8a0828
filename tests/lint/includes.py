"""Includes go only to the right or downwards: see the picture in
app/README.md, which changes together with the two rows here."""

import re

from _source import main, sources

# The left one may include all that stand to its right.
SLICES = ("gateway api home profile notices audit requests keys apiusers usage "
          "subscriptions products people tenants tokens accounts sessions jobs "
          "mail vault").split()
MACHINERY = "web db run crypto base".split()
# Know everyone, and nobody includes them.
TOP = {"ctl", "courier", ""}  # "" are the files of app/ itself
# Headers of libraries, and who may know them.
LIBRARY = (
    (re.compile(r"^kore/"), lambda p: p == "app/main.c"
     or re.fullmatch(r"app/\w+/\w+_kore\.[ch]", p), "app/main.c and *_kore"),
    (re.compile(r"^libpq"), lambda p: p.startswith("app/db/"), "app/db"),
    (re.compile(r"^(openssl/|sodium|zxcvbn)"),
     lambda p: p.startswith("app/crypto/"), "app/crypto"),
    (re.compile(r"^curl/"), lambda p: p == "app/ctl/remote.c" or p.startswith(
        ("app/courier/", "app/mail/")),
     "app/courier, app/mail and app/ctl/remote.c"),
    (re.compile(r"^liboath/"), lambda p: p == "app/accounts/totp.c",
     "app/accounts/totp.c"),
    (re.compile(r"^(fido|cbor)"),
     lambda p: p == "app/accounts/passkey.c", "app/accounts/passkey.c"),
    (re.compile(r"^jansson"), lambda p: p in (
        "app/accounts/passkey.c", "app/api/json.c", "app/gateway/exchange.c",
        "app/gateway/verify.c", "app/products/route_map.c"),
     "app/accounts/passkey.c, app/api/json.c, app/gateway/exchange.c, "
     "app/gateway/verify.c and app/products/route_map.c"),
    (re.compile(r"^jose/"), lambda p: p == "app/crypto/jwt.c",
     "app/crypto/jwt.c"),
    (re.compile(r"^hiredis/"), lambda p: p in (
        "app/gateway/redis.c", "app/gateway/redis_look.c",
        "app/gateway/redis_wire.c"), "app/gateway/redis*.c"),
    (re.compile(r"^unicode/"), lambda p: p == "app/base/spoof.c",
     "app/base/spoof.c"),
    (re.compile(r"^qrencode"), lambda p: p == "app/accounts/qr.c",
     "app/accounts/qr.c"),
    (re.compile(r"^cmark"), lambda p: p == "app/web/markdown.c",
     "app/web/markdown.c"),
    (re.compile(r"^ucontext"), lambda p: p == "app/run/co.c", "app/run/co.c"),
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
# Lets its reader make HTML that is not escaped.
VIEW_READ = re.compile(r"app/web/(mustache_render|mustache_nodes|view|respond|markdown)\.c")
PAGES = ("web/req.h", "web/respond.h", "web/route.h")


def check(root):
    for path, text in sources(root):
        parts = path.split("/")
        own = parts[1] if len(parts) > 2 else ""
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            kind, name = match.groups()
            if kind == "<":
                for pattern, allowed, where in LIBRARY:
                    if pattern.match(name) and not allowed(path):
                        yield path, line, f"<{name}> is only for {where}"
                continue
            if "/" not in name:
                # app/ itself, or a folder that was left out.
                if own and (root / "app" / own / name).exists():
                    yield path, line, f'write "{own}/{name}", with its folder'
                elif own and (root / "app" / name).exists():
                    yield path, line, f'"{name}": nobody includes app/*.h'
                continue
            wrong = arrow(own, name.split("/")[0])
            if name == "web/view_read.h" and not VIEW_READ.fullmatch(path):
                wrong = "build views through web/view.h"
            if wrong:
                yield path, line, f'"{name}": {wrong}'
            elif (own in SLICES and name in PAGES
                  and not re.search(r"_pages?\.[ch]$|/session\w*\.[ch]$",
                                    path)):
                yield path, line, (f'"{name}": only the _pages.c of a slice '
                                   "know of HTTP")


def arrow(own, other):
    """What is wrong with own including other; None if nothing is."""
    if own == other or other == "gen":
        return None
    if other in TOP - {""}:
        return f"nobody includes {other}"
    if own in TOP:
        return None
    if own not in SLICES + MACHINERY:
        return f"{own} stands nowhere in the picture"
    if other not in SLICES + MACHINERY:
        return f"{other} stands nowhere in the picture"
    row = SLICES + MACHINERY
    if row.index(other) < row.index(own):
        return f"{own} stands to the right of or below {other}"
    return None


if __name__ == "__main__":
    main(check)
