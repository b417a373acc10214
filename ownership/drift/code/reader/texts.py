"""Texts with the values of a function's environment, and the names in them."""

from collections.abc import Iterator
from itertools import product

from ownership.drift.code.deployment import (
    INLINE,
    EntryPoint,
)
from ownership.drift.code.possibilities import (
    Derived,
    EnvironmentVariable,
    Str,
    TextPart,
)
from ownership.drift.code.reader.base import ReaderBase
from ownership.drift.code.reader.derived import derived_text
from ownership.drift.environment_words import names_environment
from ownership.drift.types import (
    Location,
)
from ownership.drift.values import PLACEHOLDER, Text, concat, from_variable, placeholder

MAX_COMBINATIONS = 100  # of the values of the environment variables in one name


class Texts(ReaderBase):
    """Works texts out."""

    def _texts(self, value: Str, entry: EntryPoint, location: Location) -> list[Text]:
        """A text with the values of the function's environment; several where a variable has several."""
        choices: list[list[Text]] = []
        for part in value.parts:
            choices.append(self._part_texts(part, entry, location, is_whole=len(value.parts) == 1))
        texts: list[Text] = []
        for number, combination in enumerate(product(*choices)):
            if number >= MAX_COMBINATIONS:
                texts.append(placeholder(location, "the name has too many values"))
                break
            texts.append(concat(combination, location))
        return texts

    def _part_texts(
        self,
        part: TextPart,
        entry: EntryPoint,
        location: Location,
        is_whole: bool,
    ) -> list[Text]:
        if isinstance(part, str):
            return [Text(part, location)]
        if isinstance(part, Derived):
            whole = self._texts(Str(part.parts), entry, location)
            return [derived_text(text, part.operation, part.argument) for text in whole]
        is_environment = names_environment(part.name) and not is_whole
        known = entry.environment.get(part.name)
        if known:
            return [_from_environment(text, location, is_environment) for text in known]
        if part.fallback is not None:
            fallback = self._texts(Str(part.fallback), entry, location)
            return [_from_environment(text, location, is_environment) for text in fallback]
        return [_not_set(part, location, is_environment)]

    def _index_names(self, index: Str, entry: EntryPoint, location: Location) -> Iterator[str]:
        for text in self._texts(index, entry, location):
            name = self.names.index(text)
            if name and PLACEHOLDER not in name:
                yield name


def table_in(text: Text) -> Text:
    """The name in a table's ARN; any other text itself."""
    if not text.startswith("arn:"):
        return text
    start = text.find(":table/")
    if start < 0:
        return text
    start += len(":table/")
    end = text.find("/", start)
    return text.part(start, len(text) if end < 0 else end)


def _from_environment(text: Text, location: Location, is_environment: bool) -> Text:
    return from_variable(text, location, is_environment=is_environment)


def _not_set(variable: EnvironmentVariable, location: Location, is_environment: bool) -> Text:
    reason = f"the infrastructure sets no environment variable {variable.name}"
    return placeholder(location, reason, is_environment=is_environment)


def reported(location: Location) -> Location:
    """A location as reports name it: code that is written in a template is in that file."""
    file, inline, _ = location.file.partition(INLINE)
    return Location(file, location.line) if inline else location
