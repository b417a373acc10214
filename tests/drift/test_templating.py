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


# Where a mapping or list may have more than is written here, no condition on that leaves anything out.
OPEN = {
    "a key that is partly given": "{% set c = {'a-dev': 1} %}#c['a-' ~ stage]",
    "a key that is partly given, by get": "{% set c = {'a-dev': 1} %}#c.get('a-' ~ stage)",
    "an update by what is given": "{% set c = {'x': 1} %}{% do c.update(more) %}#c.audit",
    "get after an update by what is given": "{% set c = {} %}{% do c.update(more) %}#c.get('audit')",
    "an update by keyword": "{% set c = {'x': 1} %}{% do c.update(audit=true) %}#c.audit",
    "a key in what was updated": "{% set c = {} %}{% do c.update(more) %}#'audit' in c",
    "setdefault": "{% set c = {'x': 1} %}{% do c.setdefault('audit', true) %}#c.audit",
    "a copy with more": "{% set base = {'audit': 1} %}{% set c = dict(base, x=1) %}#c.audit",
    "an extension by what is given": "{% set l = ['x'] %}{% do l.extend(more) %}#l[2]",
    "a path of attributes": "{% set l = [{'a': {'b': 1}}] | map(attribute='a.b') | list %}#l[0]",
}


@pytest.mark.parametrize("case", OPEN.values(), ids=OPEN)
def test_what_a_mapping_or_list_may_have_is_not_left_out(case, tmp_path):
    before, _, condition = case.partition("#")
    template = f"{before}\na: b\n{{% if {condition} %}}\nc: d\n{{% endif %}}"
    assert loaded(tmp_path, template) == {"a": "b", "c": "d"}


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
    "names of resources made of names of tables": (
        "{% for t in ['user-data', 'orders'] %}\n"
        "{{ t | replace('-', ' ') | title | replace(' ', '') }}Table: {{ prefix | replace('-', '') }}{{ t }}\n"
        "{{ t.split('-')[0] }}{{ t.split('-') | length }}: {{ t.startswith('user') and t.endswith('data') }}\n"
        "{% endfor %}",
        {
            "UserDataTable": "${opt:prefix}user-data",
            "user2": "True",
            "OrdersTable": "${opt:prefix}orders",
            "orders1": "False",
        },
    ),
    "parts of a text that is given in part": (
        "{% set t = stage ~ '-users' %}\n{{ t[0] }}: {{ t.split('-') }}\nb: {{ t | replace('-', '') }}\n"
        "c: {{ t | replace('0', '') }}",
        {"${opt:t}": "${opt:t}", "b": "${opt:stage}users", "c": "${opt:t}"},
    ),
    "text methods with arguments that are not known here": (
        "{% set t = '/users/' %}\na: {{ t.strip('/') }}\nb: {{ t.strip() }}{{ stage | lower }}\nc: {{ t.split('') }}",
        {"a": "${opt:t}", "b": "/users/${opt:stage}", "c": "${opt:t}"},
    ),
    "a mapping that grows": (
        "{% set t = {'a': 1} %}{% do t.update({'b': 2}) %}{% set _ = t.update(more) %}\n"
        "{% for k in t.keys() %}\n{{ k }}: {{ t.get(k, 3) }}\n{% endfor %}\n"
        "c: {{ t.get('c', 3) }}\nd: {{ t.values() | first }}\ne: {{ t.get(key) }}",
        {
            "a": "1",
            "b": "2",
            "${opt:more}": "${opt:more}",
            "c": "${opt:t}",
            "d": "1",
            "e": "${opt:t_key}",
        },
    ),
    "a list that grows by what is given": (
        "{% set l = ['a'] %}{% set _ = l.extend(['b']) %}{% set _ = l.extend(more) %}\na: {{ l | join }}",
        {"a": "ab${opt:more}"},
    ),
    "lists in order": (
        "{% set l = ['b', 'C', 'a', 'b'] %}\na: {{ l | sort | join }}\nb: {{ l | unique | list | join }}\n"
        "c: {{ l | reverse | join }}{{ l | last }}\nd: {{ [2, 1] | sort | first }}\n"
        "e: {{ more | sort }}",
        {"a": "abbC", "b": "bCa", "c": "baCbb", "d": "2", "e": "${opt:more}"},
    ),
    "lists that are mapped": (
        "{% set l = [{'n': 'a'}, {'n': 'b'}] %}\na: {{ l | map(attribute='n') | map('upper') | join }}\n"
        "b: {{ l | map(attribute='n') | map('replace', 'a', 'c') | join }}\nc: {{ 'x  y' .split() | join }}",
        {"a": "AB", "b": "cb", "c": "xy"},
    ),
    "loops without a turn": (
        "{% for t in [] %}\na: 1\n{% else %}\nb: 1\n{% endfor %}\n"
        "{% for t in {}.tables %}\nc: 1\n{% endfor %}{% for t in none %}\nd: 1\n{% endfor %}",
        {"b": "1"},
    ),
    "a branch within a line that includes another template": (
        "{ {% if prod %}{% include 'part.j2' %}{% else %}dev: 1{% endif %} }",
        {"part": "1"},
    ),
    "a macro that is not there, or only under a condition": (
        "{% from 'base.j2' import table, block as b %}\na: {{ table('x') }}{{ b }}",
        {"a": "${opt:table}${opt:b}"},
    ),
    "a value that is used twice": (
        "a: &a {b: {{ stage }}}\nc: *a",
        {"a": {"b": "${opt:stage}"}, "c": {"b": "${opt:stage}"}},
    ),
    "pairs of a mapping": (
        "{% set m = {'b': 1, 'a': 2} %}\n{% for k, v in m | items %}\n{{ k }}: {{ v }}\n{% endfor %}\n"
        "{% for k, v in m | dictsort %}\n{{ loop.index }}: {{ k }}\n{% endfor %}\n"
        "{% for k in m | list %}\n{{ k }}{{ m | count }}: 1\n{% endfor %}",
        {"b": "1", "a": "2", "1": "a", "2": "b", "b2": "1", "a2": "1"},
    ),
    "values as JSON": (
        "{% set m = {'n': 'x', 't': [1, true, none, stage]} %}\na: {{ m | tojson | safe }}\n"
        "b: {{ m.n | to_json }}\nc: {{ m.missing | tojson }}\nd: {{ stage | tojson }}\ne: {{ m.t }}",
        {
            "a": {"n": "x", "t": ["1", "true", "", "${opt:stage}"]},
            "b": "x",
            "c": "",
            "d": "${opt:stage}",
            "e": ["1", "true", "", "${opt:stage}"],
        },
    ),
    "an indented block": (
        "{% macro keys(n) %}\nid: {{ n }}\nttl: x\n{% endmacro %}\n"
        "a:\n{{ keys('b') | indent(2) }}\nc:\n{{ keys('d') | trim | indent(width=4, first=true) }}\n"
        "e: {{ 'f' | indent(wide) }}",
        {"a": {"id": "b", "ttl": "x"}, "c": {"id": "d", "ttl": "x"}, "e": "${opt:wide}"},
    ),
    "an included template in a filter": (
        "a:\n{% filter indent(2, true) %}{% include 'part.j2' %}{% endfilter %}\n"
        "{% filter trim | upper %} b: c {% endfilter %}",
        {"a": {"part": "1"}, "B": "C"},
    ),
    "a template that is included with variables": (
        "{% with name = 'users', n = 2 %}\n{{ name }}: {{ n }}\n{% endwith %}\n{{ name }}: 1",
        {"users": "2", "${opt:name}": "1"},
    ),
    "defaults": (
        "{% set m = {'n': ''} %}\na: {{ m.n | default('x', true) }}{{ m.missing | d('y') }}\n"
        "b: {{ given | default(other) }}\n{% for t in names | default(['c']) %}\n{{ t }}: 1\n{% endfor %}",
        {"a": "xy", "b": "${opt:given}", "c": "1"},
    ),
    "conditions of what is known": (
        "{% set e = {'stage': 'dev', 'names': ['a']} %}\n"
        "{% if e.stage in ['dev', 'qa'] and 'de' in e.stage and not e.debug %}\na: 1\n{% endif %}\n"
        "{% if 'b' not in e.names or more %}\nb: 1\n{% endif %}\n"
        "{% if e.names is string or e.stage == 'prod' %}\nc: 1\n{% elif false %}\nd: 1\n{% endif %}\n"
        "e: {{ 'x' if e.debug }}{{ 'y' if e.names else 'z' }}{{ 'y' if e.debug else 'z' }}{{ more or e.names }}\n"
        "f: {{ e.ttl is defined }}{{ e['ttl'] is undefined }}{{ e.nothing.at.all }}",
        {"a": "1", "b": "1", "e": "yzTrue", "f": "FalseTrue"},
    ),
    "conditions of what is given": (
        "a: {{ 'x' if stage == 'dev' else 'y' }}\nb: {{ not prod }}\nc: {{ prod and 'x' }}\n"
        "d: {{ 'a' in [stage] }}\ne: {{ 1 < n < 3 }}\nf: {{ 1 < 2 }}\ng: {{ no or stage }}",
        {
            "a": "${opt:stage}",
            "b": "${opt:prod}",
            "c": "${opt:prod}",
            "d": "${opt:stage}",
            "e": "${opt:n}",
            "f": "${opt:expression}",
            "g": "${opt:no_stage}",
        },
    ),
    "numbers and lists joined": (
        "a: {{ 1 + 2 }}{{ (['x'] + ['y']) | join }}{{ 2 * n }}{{ 'x' + n }}{{ n + 1 }}\n"
        "b: {{ lookup('env', 'TABLE') }}{{ range(2, n) }}\n{{ ['x'] | map(f) }}: 1",
        {
            "a": "3xy${opt:n}x${opt:n}${opt:n}",
            "b": "${opt:lookup}${opt:range_n}",
            "${opt:f}": "1",
        },
    ),
    "lists by position": (
        "{% set l = ['a', 'b', 'c'] %}\na: {{ l[2] }}{{ l[5] }}{{ 'xy'[1] }}\n"
        "{% for t in l[1:] %}\n{{ t }}: 1\n{% endfor %}\nb: {{ l[n] }}",
        {"a": "cy", "${opt:t}": "1", "b": "${opt:l_n}"},
    ),
    "several variables at once": (
        "{% set a, b = 'x', 'y' %}{% set c, (d, e) = given %}\n{{ a }}{{ b }}: {{ c }}{{ d }}\n"
        "{% for k, v in more.items() %}\n{{ k }}: {{ v }}\n{% endfor %}",
        {"xy": "${opt:c}${opt:d}", "${opt:k}": "${opt:v}"},
    ),
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


UNREAD = {
    "a loop over what is given": ("{% for t in tables %}{% endfor %}", "tables"),
    "a loop over the letters of a text": ("{% for t in 'ab' %}{% endfor %}", "expression"),
    "a branch that is chosen by what is given": ("{% if a %}\nb: 1\n{% else %}\nc: 1\n{% endif %}", "a"),
    "a statement that is not followed": ("{% autoescape true %}a: 1{% endautoescape %}", "scope"),
    "a turn that ends early": ("{% for t in ['a'] %}{% continue %}{% endfor %}", "continue"),
    "a template that is not there": ("{% extends 'no.j2' %}", "no.j2"),
    "a template whose name is given": ("{% include name %}", "include"),
    "a value in a line of its own": ("a: 1\n{{ more }}", "${opt:more}"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "name"), UNREAD.values(), ids=UNREAD)
def test_what_may_render_anything_else_is_unread(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "template.yml.j2"
    assert [what for what, _ in load(text, path.name, path, Files(tmp_path)).unread] == [name]


def test_what_is_rendered_has_a_limit(tmp_path: Path) -> None:
    long = "a" * 400
    for text in (f"{{{{ '{long}' | replace('a', '{long}') }}}}", "{{ range(2000) }}"):
        with pytest.raises(ReadError, match="is too large"):
            loaded(tmp_path, text)


def test_an_error_of_the_rendered_text_is_in_the_file(tmp_path: Path) -> None:
    for text, place in (
        ("a: b\n{{ 'c' }}: d: e", "template.yml.j2:2"),
        ("a: \x07", "template.yml.j2"),
    ):
        with pytest.raises(ReadError) as error:
            loaded(tmp_path, text)
        assert str(error.value.location) == place


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
