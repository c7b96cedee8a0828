#!/usr/bin/python3
"""Prints C source: the common passwords of Debian's python3-zxcvbn (MIT), lower
case, sorted by byte for bsearch().  Run by the Makefile; the list itself is not
kept in this repository.

Passwords that are shorter than the least allowed length are refused before
anybody asks for them, so they are left out, and some 230 of 30,000 remain.
What people do with their short one where a longer one is asked for is write it
twice or put a row of digits or a year behind it; so that is made of the
commonest ones, and stands in the list beside them (ASVS 6.2.4 asks for 3,000
of the allowed length)."""
import pathlib
import re
import sys

from zxcvbn.frequency_lists import FREQUENCY_LISTS

header = pathlib.Path(__file__).with_name("password.h").read_text()
found = re.search(r"#define PASSWORD_MIN_CHARS\s+(\d+)", header)
if found is None:
    sys.exit("common_passwords.py: no PASSWORD_MIN_CHARS in password.h")
least = int(found[1])

commonest = 1500
tails = ["1", "12", "123", "1234", "12345", "123456", "1234567", "12345678",
         "123456789", "1234567890", "!", "1!", "123!", "2024", "2025", "2026"]
ranked = [w.lower() for w in FREQUENCY_LISTS["passwords"]]
made = {w * 2 for w in ranked[:commonest]} | {w * 3 for w in ranked[:commonest]}
made |= {w + tail for w in ranked[:commonest] for tail in tails}
words = sorted({w.encode() for w in made | set(ranked)
                if least <= len(w) <= least + 4} |
               {w.encode() for w in ranked if len(w) >= least})
if len(words) < 3000:
    sys.exit(f"common_passwords.py: only {len(words)} passwords found")


def quoted(word):
    """A C string; every byte but letters and digits in octal."""
    return '"' + "".join(chr(c) if chr(c).isascii() and chr(c).isalnum()
                         else f"\\{c:03o}" for c in word) + '"'


print(f"/* Made by common_passwords.py: {len(words)} passwords of {least} or more"
      " characters. */")
print("#include \"crypto/password_list.h\"\n")
print("const char *const common_passwords[] = {")
for word in words:
    print(f"\t{quoted(word)},")
print("};")
print(f"const size_t common_passwords_count = {len(words)};")
