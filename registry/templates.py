"""Loads this project's templates without their indentation, which is for people who read the source."""

import re

from django.template import Origin
from django.template.loaders.filesystem import Loader

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


class UnindentedLoader(Loader):
    """Finds templates in the engine's DIRS and takes the white space off the start of their lines.

    Line breaks stay, so words stay apart, and error pages count the lines of the file.
    """

    def get_contents(self, origin: Origin) -> str:
        """The template's source without indentation."""
        return _INDENTATION.sub("", super().get_contents(origin))
