"""Names that people take for the same: they differ in case, width or white space alone."""

import unicodedata

from ownership.exchange.texts import single_spaced


def folded(name: str) -> str:
    """Equal for names that look alike: without case, full-width forms and differences in white space."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return single_spaced(text)


def difference(known: str, name: str) -> str:
    """How two names that fold to the same differ, in words; characters that are not ASCII by their names."""
    odd = []
    for character in sorted(set(known) ^ set(name)):
        if not character.isascii():
            odd.append(f"{unicodedata.name(character, 'a character')} (U+{ord(character):04X})")
    if odd:
        return f"they differ in {', '.join(odd)}"
    if known.casefold() == name.casefold():
        return "they differ in upper and lower case"
    return "they differ in white space"
