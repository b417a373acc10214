"""Templates of CloudFormation that are written in Jinja2 become values; what is given from outside is a variable."""

import time
from pathlib import Path

import pytest

from ownership.drift.readers.files import Files
from ownership.drift.templating import load
from ownership.drift.types import ReadError
from ownership.drift.values import Map, Text, Value
from tests.support.drift_projects import write


def loaded(folder: Path, text: str, **others: str) -> Value:
    """The values of a template; ``others`` are files beside it that end in ``.j2``."""
    write(folder, {f"{name}.j2": content for name, content in others.items()})
    path = folder / "template.yml.j2"
    path.write_text(text, encoding="utf-8")
    return load(text, path.name, path, Files(folder)).value


MACRO = (
    '{% macro table(name, suffix="-x") %}{{ name }}: {Name: {{ name }}{{ suffix }}}{% endmacro %}\n'
)
CASES: dict[str, tuple[str, Value]] = {
    "an unknown value in braces": (
        "a: {b: {{ bucket }}, c: d}",
        {"a": {"b": "${opt:bucket}", "c": "d"}},
    ),
    "a member of an unknown value": (
        "a: {{ config.tables['x'] }}",
        {"a": "${opt:config.tables.x}"},
    ),
    "a default": ("a: {{ stage | default('dev') }}", {"a": "${opt:stage, 'dev'}"}),
    "a line that is given as a whole": ("a: b\n{{ more }}\nc: d", {"a": "b", "c": "d"}),
    "a loop over mappings": (
        '{% set fns = [{"n": "A", "t": 3}, {"n": "B"}] %}\n'
        "{% for f in fns %}\n{{ loop.index }}{{ f.n }}: {{ f.t | default(9) }}\n{% endfor %}",
        {"1A": "3", "2B": "9"},
    ),
    "a loop over what is given": (
        "{% for t in tables %}\n{{ t }}: {{ t.name }}\n{% endfor %}",
        {"${opt:t}": "${opt:t.name}"},
    ),
    "a loop with a condition": (
        "{% for t in ['a', 'b'] if t != 'a' %}\n{{ t }}: 1\n{% endfor %}",
        {"b": "1"},
    ),
    "items of a mapping": (
        "{% for k, v in {'a': 'b'}.items() %}\n{{ k }}: {{ v | upper }}\n{% endfor %}",
        {"a": "B"},
    ),
    "a condition within a line": ("a: {% if prod %}x{% else %}y{% endif %}", {"a": "${opt:prod}"}),
    "a condition around lines": (
        "a: b\n{% if prod and more %}\nc: d\n{% endif %}",
        {"a": "b", "c": "d"},
    ),
    "a known condition": ("{% set x = 'on' %}\na: {{ 1 if x == 'on' else 2 }}", {"a": "1"}),
    "tests": (
        "{% set x = 1 %}\n{% if x is defined and y is not none %}\na: b\n{% endif %}",
        {"a": "b"},
    ),
    "a macro": (
        MACRO + "{{ table('t') }}\n{{ table(name='u', suffix='') }}",
        {"t": {"Name": "t-x"}, "u": {"Name": "u"}},
    ),
    "an imported macro": (
        "{% import 'macros.j2' as m %}\n{{ m.table('t') }}",
        {"t": {"Name": "t-x"}},
    ),
    "macros imported by name": (
        "{% from 'macros.j2' import table as t %}\n{{ t('t') }}",
        {"t": {"Name": "t-x"}},
    ),
    "a call with a body": (
        "{% macro wrap() %}a: {{ caller() }}{% endmacro %}\n{% call wrap() %}b{% endcall %}",
        {"a": "b"},
    ),
    "an included template": ("{% include 'part.j2' %}", {"part": "1"}),
    "a template that extends another": (
        "{% extends 'base.j2' %}{% block body %}own: 1{% endblock %}",
        {"own": "1", "end": "2"},
    ),
    "a list of names": ("a: {{ ['x', stage] | join('-') }}", {"a": "x-${opt:stage}"}),
    "mapped and filtered": (
        "a: {{ [{'n': 'x'}, {'n': 'y'}] | map(attribute='n') | join('/') }}",
        {"a": "x/y"},
    ),
    "a namespace": (
        "{% set ns = namespace(n='a') %}{% for x in ['b'] %}{% set ns.n = x %}{% endfor %}a: {{ ns.n }}",
        {"a": "b"},
    ),
    "a list that grows": (
        "{% set l = ['a'] %}{% do l.append('b') %}\na: {{ l | length }}",
        {"a": "2"},
    ),
    "assigned text": ("{% set t %}x-{{ s }}{% endset %}\na: {{ t }}", {"a": "x-${opt:s}"}),
    "comments and raw text": ("{# {{ no }} #}a: {% raw %}'{{ x }}'{% endraw %}", {"a": "{{ x }}"}),
    "dynamic references": ("a: '{{resolve:ssm:/x}}-{{ b }}'", {"a": "{{resolve:ssm:/x}}-${opt:b}"}),
    "white space": ("a:\n{%- for x in ['b'] %}\n  {{ x }}: 1\n{%- endfor %}", {"a": {"b": "1"}}),
    "texts joined": ("a: {{ 'x-' ~ stage ~ '-' + 'y' }}", {"a": "x-${opt:stage}-y"}),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_template_is_rendered(tmp_path: Path, text: str, expected: Value) -> None:
    base = "{% block body %}base: 1{% endblock %}\nend: 2"
    assert loaded(tmp_path, text, macros=MACRO, part="part: 1", base=base) == expected


def test_locations_are_those_of_the_file(tmp_path: Path) -> None:
    text = "{% set x = 1 %}\n{% for n in ['a', 'b'] %}\n{{ n }}:\n  in: {{ n }}\n{% endfor %}\nlast: z\n"
    value = loaded(tmp_path, text)
    assert isinstance(value, Map)
    assert isinstance(value["b"], Map)
    inner, last = value["b"]["in"], value["last"]
    assert isinstance(inner, Text)
    assert isinstance(last, Text)
    assert (str(inner.location), str(last.location)) == ("template.yml.j2:4", "template.yml.j2:6")


ODD = {
    "a tag that Jinja does not have": ("a: b\n{% nothing %}", "is not a template that Jinja2 can read"),
    "YAML that is broken once rendered": ("a: b\n{{ 'c' }}: d: e", "mapping values are not allowed"),
    "loops within loops": ("{% for a in range(999) %}" * 4 + "x" + "{% endfor %}" * 4, "is too large"),
    "a text that doubles": ("{% set n = namespace(t='xx') %}{% for i in range(99) %}"
                            "{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}", "is too large"),
    "a macro that calls itself": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "is too large"),
    "a template that includes itself": ("{% include 'template.yml.j2' %}", "is too large"),
    "deep brackets": ("{{ " + "[" * 5000 + "]" * 5000 + " }}", "is too large"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("text", "reason"), ODD.values(), ids=ODD)
def test_an_odd_template_is_an_error_in_bounded_time(
    tmp_path: Path, text: str, reason: str
) -> None:
    start = time.process_time()
    with pytest.raises(ReadError, match=reason):
        loaded(tmp_path, text)
    assert time.process_time() - start < 10


def test_no_template_outside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.j2").write_text("secret: 1", encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    assert loaded(inner, "a: b\n{% include '../secret.j2' %}") == {"a": "b"}


def test_braces_alone_make_no_template(tmp_path: Path) -> None:
    text = "a: '{{ not jinja at all }}'"
    path = tmp_path / "template.yml"
    path.write_text(text, encoding="utf-8")
    assert load(text, path.name, path, Files(tmp_path)).value == {"a": "{{ not jinja at all }}"}
