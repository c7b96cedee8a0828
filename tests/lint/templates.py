"""Templates can't be talked into showing what they should not: no unescaped
values, values only where escaping for HTML protects (text and attributes in
double quotes), links that stay here, and a CSRF field in every POST form."""

import re

from _source import blank, line_of, main, sources

TAG = re.compile(r"<([a-zA-Z][\w-]*)((?:\{\{.*?\}\}|\"[^\"]*\"|'[^']*'"
                 r"|[^<>\"'])*)>", re.S)
ATTRIBUTE = re.compile(
    r"""([a-zA-Z_:@][-\w:.]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?""")
COMMENT = re.compile(r"\{\{!.*?\}\}", re.S)
RAW = re.compile(r"\{\{\{|\{\{\s*&")
DELIMITER = re.compile(r"\{\{\s*=")
INSIDE = re.compile(r"<(script|style)\b[^>]*>(.*?)</\1\s*>", re.S | re.I)
FORM = re.compile(r"<form\b(.*?)</form>", re.S | re.I)
CSRF = re.compile(r"\{\{>\s*partials/csrf\s*\}\}")
# Values that the program chooses among constants, or a setting.
CHOSEN = ("/{{where}}", "mailto:{{support_email}}")
# Finished HTML stands in the content of an element, never in a tag.
HTML = re.compile(r"\{\{\s*[\w.]*_html\s*\}\}")
URL = ("href", "action", "src", "srcset", "formaction", "poster", "data",
       "xlink:href")


def check(root):
    for path, whole in sources(root, "templates/**/*.html",
                               "templates/**/*.txt"):
        text = COMMENT.sub(blank, whole)
        for pattern, why in ((RAW, "an unescaped value"),
                             (DELIMITER, "other delimiters hide from lints")):
            for match in pattern.finditer(text):
                yield path, line_of(text, match.start()), why
        if path.endswith(".txt"):
            continue
        mail = path.startswith("templates/mail/")
        yield from tags(path, text, mail)
        for match in INSIDE.finditer(text):
            # Mail has its style inside, but no value may be part of it.
            style = mail and match.group(1).lower() == "style"
            if match.group(2).strip() and not (
                    style and "{{" not in match.group(2)):
                yield (path, line_of(text, match.start(2)),
                       f"something inside <{match.group(1)}>")
        for match in FORM.finditer(text):
            opening = match.group().split(">", 1)[0]
            post = re.search(r'\bmethod\s*=\s*"?post\b', opening, re.I)
            if post and not CSRF.search(match.group()):
                yield (path, line_of(text, match.start()),
                       "a POST form without {{>partials/csrf}}")
            if not post and not re.search(r'\bmethod="get"', opening):
                yield (path, line_of(text, match.start()),
                       'a form says method="get" or method="post"')


def tags(path, text, mail):
    # {{>part}}, {{<parent}}, {{#x}} outside of quotes are no tags.
    text = re.sub(r"\{\{[<>$][^}]*\}\}", blank, text)
    for tag in TAG.finditer(text):
        line = line_of(text, tag.start())
        if HTML.search(tag.group()):
            yield path, line, "HTML is for the content of an element"
        for match in ATTRIBUTE.finditer(outside_quotes(tag.group(2))):
            name, value = match.group(1).lower(), match.group(2)
            if name.startswith("on"):
                yield path, line, f"{name}=: no script in attributes"
            elif name == "style" and not mail:
                yield path, line, "style=: the CSP refuses it"
            elif value is not None and not value.startswith('"'):
                yield path, line, f"{name}={value}: double quotes"
            elif name in URL and value is not None:
                why = address(value[1:-1], mail)
                if why:
                    yield path, line, f"{name}={value}: {why}"


def outside_quotes(attributes):
    """Mustache tags between attributes become white space; those inside of
    quotes stay."""
    parts = re.split(r'("[^"]*")', attributes)
    return "".join(part if part.startswith('"') else re.sub(
        r"(?<!=)\{\{[^}]*\}\}", " ", part) for part in parts)


def address(value, mail):
    if value == "/" or re.match(r"/[A-Za-z0-9#?]", value):
        return None
    if re.match(r"#[A-Za-z{]", value):
        return None
    if value in CHOSEN:
        return None
    if mail and re.match(r"\{\{(public_url|link|url)\}\}", value):
        return None
    return "begins with a literal / and a letter, or with #"


if __name__ == "__main__":
    main(check)
