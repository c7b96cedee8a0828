#!/usr/bin/python3
"""build.py SRC OUT: makes the files that the portal serves below /assets/.

Every asset gets a name that changes with its content (NAME.<10 hex digits of
its SHA-256>.EXT), so that browsers may keep it for ever, and a .gz beside it
where that is smaller.  OUT/manifest.txt has one line for each asset,

    NAME FINGERPRINTED CONTENT-TYPE

sorted by name, without a space in any part.  The same sources give the same
bytes.  The style sheets become one, app.css: modern-normalize and uPlot's from
npm in the layer "base", then look.css; uPlot's script becomes uplot.js; what one asset says of another as /assets/NAME is
rewritten to the fingerprinted name.
"""
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys

NORMALIZE = ("modern-normalize", "3.0.1")
UPLOT = ("uplot", "1.6.32")
TYPES = {
    ".css": "text/css;charset=utf-8",
    ".js": "text/javascript;charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain;charset=utf-8",
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def from_npm(folder, wanted, *path):
    """A file of a package, which is fetched once into a folder of its own
    below this one."""
    name, version = wanted
    folder = os.path.join(folder, name)
    package = os.path.join(folder, "node_modules", name)
    about = os.path.join(package, "package.json")
    pinned = '"version": "%s"' % version
    if not os.path.exists(about) or pinned not in read(about):
        # npm removes from a folder what the call at hand did not ask for.
        os.makedirs(folder, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--silent", "--no-save", "--no-audit",
             "--no-fund", "--ignore-scripts", "--prefix", folder,
             "%s@%s" % wanted], check=True)
    return read(os.path.join(package, *path))


def squeeze_css(text):
    """Drops comments and the white space around lines, nothing else.

    Strings are kept whole: a comment sign inside of one is no comment.
    """
    text = re.sub(r"""("[^"\n]*"|'[^'\n]*')|/\*.*?\*/""",
                  lambda m: m.group(1) or "", text, flags=re.S)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def sources(folder, npm):
    """Name and bytes of each asset, before references are rewritten."""
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        end = os.path.splitext(name)[1]
        if name.startswith(".") or end in (".py", ".css") or \
                not os.path.isfile(path):
            continue
        if end not in TYPES:
            sys.exit("build.py: %s: no content type for %s" % (name, end))
        with open(path, "rb") as file:
            found[name] = file.read()
    # Its licence goes with it.
    found["uplot.js"] = ("/*!\n%s*/\n%s" % (
        from_npm(npm, UPLOT, "LICENSE"),
        from_npm(npm, UPLOT, "dist", "uPlot.iife.min.js"))).encode()
    css = "@layer base{\n%s%s}\n%s" % (
        squeeze_css(from_npm(npm, NORMALIZE, "modern-normalize.css")),
        squeeze_css(from_npm(npm, UPLOT, "dist", "uPlot.min.css")),
        squeeze_css(read(os.path.join(folder, "look.css"))))
    found["app.css"] = css.encode()
    return found


def fingerprint(name, data):
    stem, end = os.path.splitext(name)
    return "%s.%s%s" % (stem, hashlib.sha256(data).hexdigest()[:10], end)


def rewrite(found):
    """Fingerprinted name and final bytes of each asset.

    An asset is done after those that it names; a circle stops the build.
    """
    pattern = re.compile(rb"/assets/([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+)")
    done = {}

    def finish(name, above):
        if name in above:
            sys.exit("build.py: %s names itself by way of %s" %
                     (name, ", ".join(above)))
        if name not in found:
            sys.exit("build.py: %s names /assets/%s, which does not exist" %
                     (above[-1], name))
        if name not in done:
            data = pattern.sub(
                lambda m: b"/assets/" + finish(
                    m.group(1).decode(), above + [name]).encode(),
                found[name]) if name.endswith((".css", ".js")) \
                else found[name]
            done[name] = (fingerprint(name, data), data)
        return done[name][0]

    for name in found:
        finish(name, [])
    return done


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: build.py SRC OUT")
    source, out = sys.argv[1:]
    npm = os.path.join(os.path.dirname(os.path.abspath(out)), "npm", "assets")
    done = rewrite(sources(source, npm))
    new = out.rstrip("/") + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    lines = []
    for name, (printed, data) in sorted(done.items()):
        write(os.path.join(new, printed), data)
        packed = gzip.compress(data, 9, mtime=0)
        if len(packed) < len(data):
            write(os.path.join(new, printed + ".gz"), packed)
        lines.append("%s %s %s\n" % (
            name, printed, TYPES[os.path.splitext(name)[1]]))
    write(os.path.join(new, "manifest.txt"), "".join(lines).encode())
    shutil.rmtree(out, ignore_errors=True)
    os.rename(new, out)


if __name__ == "__main__":
    main()
