"""Models of the registry's own database tables, with the registry's fields and constraints and Django's ``save()``.

Not in a file ``models.py``: they are made of the registry's, which must be there before.
"""

from typing import Any

from django.contrib import admin
from django.db import models

from ownership import models as registry


def bare(model: Any, **targets: Any) -> Any:
    """The model without what the registry adds to it; ``targets`` are the bare models that its foreign keys name."""
    fields = {}
    for field in model._meta.fields:
        _, _, arguments, options = field.deconstruct()
        if field.is_relation:
            options["to"] = targets[field.name]
        fields[field.name] = type(field)(*arguments, **options)
    of = model._meta
    same = {
        "db_table": of.db_table,
        "ordering": of.ordering,
        "constraints": of.constraints,
        "managed": False,
    }
    meta = type("Meta", (), same | {"app_label": "bare"})
    names = {"__module__": __name__, "Meta": meta, "__str__": model.__str__}
    return type(model.__name__, (models.Model,), fields | names)


TableGroup = bare(registry.TableGroup)
Service = bare(registry.Service, part_of="self")
Table = bare(registry.Table, group=TableGroup, owner=Service)
Access = bare(registry.Access, table=Table, service=Service)
SecondaryIndex = bare(registry.SecondaryIndex, table=Table)


class AccessInline(admin.TabularInline):
    """The services that use the table."""

    model, extra, autocomplete_fields = Access, 0, ("service",)


class SecondaryIndexInline(admin.StackedInline):
    """The table's secondary indexes."""

    model, extra = SecondaryIndex, 0


class TableAdmin(admin.ModelAdmin):
    """A table with its accesses and indexes on one page, as the registry shows it."""

    autocomplete_fields = ("owner",)
    inlines = (AccessInline, SecondaryIndexInline)


class ServiceAdmin(admin.ModelAdmin):
    """Autocomplete asks for one."""

    search_fields = ("name",)


site = admin.AdminSite("bare")
site.register(Table, TableAdmin)
site.register(Service, ServiceAdmin)
site.register(TableGroup)
