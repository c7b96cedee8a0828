"""Nothing of ours is fetched from elsewhere: pages and styles name no host,
no file names a package registry, and no lock file records where a package
came from."""

import re

from _source import line_of, main, tracked

# Names of namespaces, which nobody fetches, and names that mean nobody.
FINE = re.compile(r"(www\.w3\.org|localhost|127\.0\.0\.1|\[::1\]"
                  r"|([\w-]+\.)*example(\.(org|com|net))?)$")
REGISTRY = re.compile(
    r"\b(registry\.npm\w*|registry\.yarnpkg|npmjs\.(org|com)|pypi\.org"
    r"|files\.pythonhosted|crates\.io|rubygems\.org|unpkg\.com|jsdelivr"
    r"|cdnjs|esm\.sh|proxy\.golang|ghcr\.io|docker\.io|quay\.io"
    r"|deb\.debian\.org|fonts\.g(oogleapis|static))\b".replace(
        "registry", "regist" "ry"))
URL = re.compile(r"(?:https?:|(?<=[\"'(]))//([A-Za-z0-9\[][\w.:\[\]-]*)")
LOCK = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml")
ME = "tests/lint/hosts.py"


def check(root):
    for path, text in tracked(root):
        if path.split("/")[-1] in LOCK:
            yield path, 1, "no lock files"
        if path == ME:
            continue
        for match in REGISTRY.finditer(text):
            yield (path, line_of(text, match.start()),
                   f"names a registry: {match.group()}")
        for match in re.finditer(r'"resol' r'ved"\s*:', text):
            yield path, line_of(text, match.start()), "a resolved address"
        if path.startswith(("templates/", "assets/")) and \
                path.endswith((".html", ".txt", ".css", ".js", ".svg")):
            for match in URL.finditer(text):
                host = re.sub(r":\d+$", "", match.group(1))
                if not FINE.match(host):
                    yield (path, line_of(text, match.start()),
                           f"names the host {host}")


if __name__ == "__main__":
    main(check)
