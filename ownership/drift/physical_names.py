"""What a table is called in an environment.

An environment makes a physical name from a base name with a suffix, or with a pattern::

    suffix   PROD                biztechUsers → biztechUsersPROD
    pattern  {stage}-{name}      orders → prod-orders, in the environment prod
    pattern  live-{name}-v2      orders → live-orders-v2
"""

from dataclasses import dataclass

NAME, STAGE = "{name}", "{stage}"


@dataclass(frozen=True)
class NamePattern:
    """What stands before and after the base name in an environment's physical names."""

    before: str = ""
    after: str = ""

    @classmethod
    def of(cls, environment: str, suffix: str, pattern: str) -> "NamePattern":
        """The environment's pattern; its suffix if it has none. ``{stage}`` is the environment's name."""
        if not pattern:
            return cls(after=suffix)
        before, _, after = pattern.replace(STAGE, environment).partition(NAME)
        return cls(before, after)

    @property
    def length(self) -> int:
        """How many characters it adds to a base name."""
        return len(self.before) + len(self.after)

    def physical(self, base_name: str) -> str:
        """The physical name of a table."""
        return f"{self.before}{base_name}{self.after}"

    def fits(self, physical_name: str) -> bool:
        """Whether a name begins and ends like this environment's."""
        return physical_name.startswith(self.before) and physical_name.endswith(self.after)

    def base(self, physical_name: str) -> str:
        """The base name that gives this physical name; empty if none does."""
        if not self.fits(physical_name) or len(physical_name) <= self.length:
            return ""
        return physical_name[len(self.before) : len(physical_name) - len(self.after)]

    def without(self, text: str) -> str:
        """Part of a physical name as part of a base name: ``prod-ord`` and ``UsersPROD`` as ``ord`` and ``Users``."""
        return text.removeprefix(self.before).removesuffix(self.after)

    def lower(self) -> "NamePattern":
        """The same in lower case, to compare names without regard to case."""
        return NamePattern(self.before.lower(), self.after.lower())
