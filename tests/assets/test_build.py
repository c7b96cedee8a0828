"""assets/build.py: names that change with the content, gzip beside them, the
list of them all, and the same bytes from the same sources."""

import gzip
import hashlib
import re
import shutil
import subprocess

import pytest
from lib import base

SCRIPT = base.ROOT / "assets/build.py"


@pytest.fixture
def made(build):
    """made(src) -> (process, folder); beside the build's own assets, so that
    npm's package is fetched once."""
    folders = []

    def make(src):
        out = build / f"assets-test-{len(folders)}"
        folders.append(out)
        done = subprocess.run(["/usr/bin/python3", SCRIPT, src, out],
                              capture_output=True, text=True)
        return done, out
    yield make
    for out in folders:
        shutil.rmtree(out, ignore_errors=True)


def manifest(folder):
    lines = (folder / "manifest.txt").read_text().splitlines()
    return {name: (printed, kind)
            for name, printed, kind in (line.split(" ") for line in lines)}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_names_are_made_from_the_content(made):
    done, out = made(base.ROOT / "assets")
    assert done.returncode == 0, done.stderr
    listed = manifest(out)
    assert {"app.css", "icons.svg", "favicon.svg", "copy.js", "hide.js",
            "name.js", "password.js", "chart.js", "uplot.js"} <= set(listed)
    for name, (printed, kind) in listed.items():
        data = (out / printed).read_bytes()
        stem, _, end = name.rpartition(".")
        assert printed == (
            f"{stem}.{hashlib.sha256(data).hexdigest()[:10]}.{end}")
        assert kind == {"css": "text/css;charset=utf-8",
                        "js": "text/javascript;charset=utf-8",
                        "svg": "image/svg+xml"}[end]
    assert list(listed) == sorted(listed)


def test_gzip_stands_beside_what_it_makes_smaller(made):
    _, out = made(base.ROOT / "assets")
    for printed, _ in manifest(out).values():
        data = (out / printed).read_bytes()
        packed = out / (printed + ".gz")
        assert packed.exists(), printed
        assert packed.stat().st_size < len(data)
        assert gzip.decompress(packed.read_bytes()) == data


def test_the_same_sources_give_the_same_bytes(made):
    _, first = made(base.ROOT / "assets")
    _, second = made(base.ROOT / "assets")
    assert contents(first) == contents(second)


def test_one_style_sheet_over_the_base(made):
    _, out = made(base.ROOT / "assets")
    css = (out / manifest(out)["app.css"][0]).read_text()
    assert css.startswith("@layer base{\n*,\n::before")
    assert ".btn-main" in css and "--accent-fill" in css
    assert "/*" not in css
    assert not re.search(r"@import|url\(|data:", css)


def test_what_assets_say_of_each_other_is_rewritten(made, folder):
    (folder / "look.css").write_text(
        '/* a.svg */\na { content: "/* kept */"; }\n'
        "b { background: url(/assets/a.svg#x); }\n")
    (folder / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    done, out = made(folder)
    assert done.returncode == 0, done.stderr
    listed = manifest(out)
    css = (out / listed["app.css"][0]).read_text()
    assert f"url(/assets/{listed['a.svg'][0]}#x)" in css
    assert 'content: "/* kept */"' in css and "/* a.svg */" not in css
    assert not (out / (listed["a.svg"][0] + ".gz")).exists()


@pytest.mark.parametrize("name, text, why", [
    ("look.css", "b { background: url(/assets/gone.svg); }",
     "app.css names /assets/gone.svg, which does not exist"),
    ("page.exe", "x", "no content type for .exe"),
])
def test_a_mistake_stops_the_build(made, folder, name, text, why):
    (folder / "look.css").write_text("")
    (folder / name).write_text(text)
    done, out = made(folder)
    assert done.returncode != 0 and why in done.stderr
    assert not out.exists()
