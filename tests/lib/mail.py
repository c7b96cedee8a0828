"""The mail folder of a server under test: one .eml file a message."""

import email
import email.policy
import re

from lib.base import wait_until


class Message:
    def __init__(self, path):
        self.path = path
        self.raw = path.read_bytes()
        self.parsed = email.message_from_bytes(self.raw,
                                               policy=email.policy.default)
        self.to = [a.addr_spec for a in self.parsed["To"].addresses]
        self.subject = str(self.parsed["Subject"])
        self.text = self._part("plain")
        self.html = self._part("html")

    def _part(self, kind):
        part = self.parsed.get_body(preferencelist=(kind,))
        return part.get_content() if part else ""

    def links(self):
        return re.findall(r"https?://[^\s<>\"]+", self.text)

    def link(self, holding):
        """The one link of the text part that holds a piece of path; its path
        and query, as a client takes them."""
        found = {u for u in self.links() if holding in u}
        assert len(found) == 1, f"links with {holding}: {found}\n{self.text}"
        return re.sub(r"^https?://[^/]+", "", found.pop())

    def __repr__(self):
        return f"<mail to {self.to}: {self.subject}>"


class Mailbox:
    def __init__(self, folder):
        self.folder = folder

    def all(self):
        """Oldest first.  A message is renamed into place when it is whole."""
        paths = sorted(self.folder.glob("*.eml"),
                       key=lambda p: (p.stat().st_mtime_ns, p.name))
        return [Message(p) for p in paths]

    def to(self, address, subject=""):
        return [m for m in self.all() if address in m.to
                and subject.lower() in m.subject.lower()]

    def wait(self, address, subject="", count=1, timeout_s=10):
        """The message to the address that came as number `count`, once it is
        there.  Never a later one: a test whose words fit an earlier mail as
        well fails always, not by chance."""
        def arrived():
            return len(self.to(address, subject)) >= count
        try:
            wait_until(arrived, timeout_s)
        except AssertionError:
            raise AssertionError(f"no mail {count} to {address} with "
                                 f"'{subject}' among {self.all()}") from None
        return self.to(address, subject)[count - 1]

    def none(self, address, until):
        """Nothing came to the address by the time that `until` is true."""
        wait_until(until, 10, "the event that the mail would come before")
        found = self.to(address)
        assert not found, f"unexpected: {found}"
