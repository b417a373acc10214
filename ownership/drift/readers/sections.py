"""A mapping of settings that knows which of its keys were read.

A reader gets what it needs from a Section, and names the keys that are known to permit nothing. Every other key is
unread, also one that nobody has thought of::

    provider = Section(settings, expand, known={"runtime", "timeout"})
    provider.get("iamRoleStatements")
    list(provider.unread())     # ["role"], if that is the third key

So what a new version of a framework adds is reported, and no service is said to lack a permission that it may have.
"""

from collections.abc import Callable, Collection, Iterator

from ownership.drift.readers.template_nodes import function_name
from ownership.drift.values import UNKNOWN_LOCATION, Map, Text, Value, as_text, location_of

Expand = Callable[[Value], Value]


class Section:
    """A mapping, empty where ``node`` is no mapping. ``known`` are keys that permit nothing, whatever they hold."""

    def __init__(self, node: Value, expand: Expand, known: Collection[str] = ()) -> None:
        self.expand = expand
        self.known = known
        # A text or a function of CloudFormation, where that stands for the mapping.
        self.value = expand(node)
        self.settings = Map(UNKNOWN_LOCATION)
        if isinstance(self.value, Map) and function_name(self.value) is None:
            self.settings = self.value
        elif self.value is not None:
            self.settings = Map(location_of(self.value))
        self._read: set[str] = set()
        self._inner: dict[str, Section] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.settings

    def get(self, key: str) -> Value:
        """The value of a key, which counts as read with everything in it."""
        self._read.add(key)
        return self.expand(self.settings.get(key))

    def section(self, key: str, known: Collection[str] = ()) -> "Section":
        """The mapping under a key, whose own keys count one by one."""
        if key not in self._inner:
            self._inner[key] = Section(self.settings.get(key), self.expand, known)
        self._read.add(key)
        return self._inner[key]

    def unread(self) -> Iterator[Text]:
        """The keys that hold something and that nobody has read, here and in the inner sections."""
        for key, value in self.settings.items():
            if key not in self._read and key not in self.known and value is not None:
                yield as_text(key, self.settings.location)
        for section in self._inner.values():
            yield from section.unread()
