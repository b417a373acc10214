"""Which models have history, and their entries."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps


@cache
def entry_model(model: Any) -> Any:
    """The historical model; kept, for simple-history makes a manager class each time it is asked."""
    return model.history.model


def entry_models() -> list[Any]:
    """The historical models, in the order in which the registry's models are declared."""
    return [entry_model(model) for model in registry_models()]


def registry_models() -> list[Any]:
    """The models whose rows have history."""
    return [
        model
        for model in apps.get_app_config("ownership").get_models()
        if hasattr(model._meta, "simple_history_manager_attribute")
    ]


def entries_of(revisions: list[int], models: Iterable[Any] | None = None) -> list[Any]:
    """The entries of some change sets in order; one query per historical model, or per one of those that are given."""
    models = entry_models() if models is None else models
    entries = [entry for model in models for entry in model.objects.filter(change_set__in=revisions)]
    return sorted(entries, key=lambda entry: (entry.change_set_id, entry.sequence))
