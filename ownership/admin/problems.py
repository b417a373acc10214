"""What keeps a form and its inline rows from being saved, for the list at the top of the page."""

from dataclasses import dataclass

from django import forms
from django.utils.text import capfirst


@dataclass(frozen=True)
class Problem:
    """Something that keeps a form from being saved: whose it is, the sentence, and the id of the field."""

    label: str
    sentence: str
    field_id: str


def form_problems(form: forms.ModelForm, formsets: list[forms.BaseInlineFormSet]) -> list[Problem]:
    """What is wrong in a form and its inline rows, in the page's order."""
    problems = _problems_of_form(form, "")
    for formset in formsets:
        rows = capfirst(str(formset.fk.model._meta.verbose_name_plural))
        for sentence in formset.non_form_errors():
            problems.append(Problem(rows, str(sentence), f"{formset.prefix}-heading"))
        for row in formset.forms:
            name = f"new {row._meta.model._meta.verbose_name}"
            if row.instance.pk:
                name = str(row.instance)
            problems += _problems_of_form(row, name)
    return problems


def _problems_of_form(form: forms.ModelForm, row: str) -> list[Problem]:
    problems = []
    for name, sentences in form.errors.items():
        label, field_id = row, ""
        if name in form.fields:
            field_label = str(form[name].label)
            label = field_label
            if row:
                label = f"{row}: {field_label.lower()}"
            field_id = form[name].id_for_label or form[name].auto_id
        for sentence in sentences:
            problems.append(Problem(label, str(sentence), field_id))
    return problems
