"""CloudFormation templates that are written in Jinja2, as far as their literals go. Nothing is run.

::

    {% for name in ["users", "orders"] %}
    {{ name }}Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: "{{ prefix }}-{{ name }}"}}
    {% endfor %}

becomes both tables, whose names begin with ``${opt:prefix}``: what a template is given when it is rendered is a
variable here, like those of the Serverless Framework, and ``--var opt:prefix=…`` gives it a value.
Locations are lines of the files as they are written. Source: Jinja documentation, "Template Designer Documentation".

``loading`` makes values of a file, ``rendering`` has blocks, loops and macros, ``expressions`` what expressions mean,
with ``filters`` and ``methods``. All but the first need Jinja2, of the extra ``code``.
"""

from ownership.drift.templating.loading import SUFFIXES, Content, is_templated, load, without_suffix

__all__ = ["SUFFIXES", "Content", "is_templated", "load", "without_suffix"]
