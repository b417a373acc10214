"""What is the same in a text, however a program saved it: line ends, and the blanks around a value."""

import re

_LINE_END = re.compile("\r\n?")
_BLANK = "[\\s\ufeff\u200b\u2060]"  # white space, no-break spaces, and what is invisible and has no width
_BLANKS_AROUND = re.compile(rf"\A{_BLANK}+|{_BLANK}+\Z")


def with_unix_line_ends(text: str) -> str:
    """The text with LF at the end of each line. Browsers send CR LF, and so do files from Windows."""
    return _LINE_END.sub("\n", text)


def trimmed(text: str) -> str:
    """The text without the blanks around it."""
    return _BLANKS_AROUND.sub("", text)


def single_spaced(text: str) -> str:
    """The text without the blanks around it, and with one space for each run of blanks in it."""
    return " ".join(trimmed(text).split())


def without_empty_end(texts: list[str]) -> list[str]:
    """The texts up to the last one that is not blank."""
    end = len(texts)
    while end and not trimmed(texts[end - 1]):
        end -= 1
    return texts[:end]
