"""Every action that the programs or the schema write has words."""

import re

from lib.base import ROOT

TABLE = ROOT / "app/audit/words.c"
ACTION = r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*"


def words():
    return dict(re.findall(rf'\{{ "({ACTION})",\s*"([^"]+)" \}}',
                           TABLE.read_text()))


def written():
    """Texts of that shape in statements; in C also those that a macro puts
    into one, whose first part the table knows."""
    known = {action.split(".")[0] for action in words()}
    found = {}
    for path in sorted([*ROOT.glob("app/*/*_db.[ch]"),
                        *ROOT.glob("app/sessions/*.[ch]"),
                        *ROOT.glob("app/*/*.h"),
                        *ROOT.glob("migrations/deploy/*.sql")]):
        text = re.sub(r'"\s*\\?\n\s*"', "", path.read_text())
        if path.suffix == ".sql":
            texts = re.findall(rf"audit_write\([^;]*?'({ACTION})'", text)
        else:
            texts = re.findall(rf"'({ACTION})'", text)
            texts += [one for one in re.findall(rf'"({ACTION})"', text)
                      if one.split(".")[0] in known
                      and not one.endswith((".h", "_at", "id", ".name"))]
        for one in texts:
            found.setdefault(one, path.name)
    return found


def test_every_action_has_words():
    table = words()
    assert len(table) > 40
    missing = {action: where for action, where in written().items()
               if action not in table}
    assert not missing, f"give them words in {TABLE.name}: {missing}"


def test_the_table_is_in_order_and_plain():
    actions = re.findall(rf'\{{ "({ACTION})"', TABLE.read_text())
    assert actions == sorted(set(actions))
    for action, text in words().items():
        assert text[0].isupper() and not text.endswith("."), action
        assert action not in text
