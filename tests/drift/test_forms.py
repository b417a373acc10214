"""One backend, written in each form that is read: the findings are the same.

``forms/`` has it as projects of the Serverless Framework, as templates of CloudFormation and SAM, as a CDK app with its
output, and as a plan of Terraform; ``forms/map.json`` is the map that they are compared with.
"""

from pathlib import Path

import pytest

from ownership.drift.compare import compare
from ownership.drift.naming import Names
from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.serverless import read_projects
from ownership.drift.readers.terraform import read_plans
from ownership.drift.registry_client import load_map
from ownership.drift.types import Infrastructure

FORMS = Path(__file__).with_name("forms")

# kind, table, service, declared, granted
FINDINGS = {
    ("wider_grant", "orders", "shop", "read", "read_write"),
    ("narrower_grant", "carts", "shop", "read_write", "read"),
    ("access_not_granted", "carts", "billing", "read", None),
    ("unregistered_table", "letters", "billing", None, "write"),
    ("key_schema_differs", "carts", None, "user (S)", "session (S)"),
    ("index_differs", "invoices", None, "none", "by-customer (customer (S))"),
}
OFFERS = {("invoices", None, "number (N)"), ("orders", "by-day", "day (S)")}


def serverless(names: Names) -> Infrastructure:
    return read_projects(FORMS / "serverless", names, {})


def templates(*paths: str, names: Names) -> Infrastructure:
    return read_templates([FORMS / path for path in paths], names, {}, {})


READERS = {
    "Serverless Framework": serverless,
    "CloudFormation": lambda names: templates(
        "cloudformation/main.yml", "cloudformation/tables.yml", names=names
    ),
    "SAM": lambda names: templates("sam/template.yml", names=names),
    "CDK": lambda names: templates("cdk/cdk.out", names=names),
    "Terraform": lambda names: read_plans([FORMS / "terraform/plan.json"], names, {}),
}


@pytest.mark.parametrize("form", READERS)
def test_a_backend_has_the_same_findings_in_each_form(form: str) -> None:
    declared = load_map(str(FORMS / "map.json"))
    # With an environment, because a CDK app and a plan have its names written out.
    found = READERS[form](Names.of(declared, "dev"))
    assert (found.errors, found.unresolved, found.notes) == ((), (), ())

    result = compare(declared, found)
    findings = {(f.kind, f.table, f.service, f.declared, f.granted) for f in result.findings}
    assert findings == FINDINGS
    assert {(offer.table, offer.index, str(offer.key_schema)) for offer in result.offers} == OFFERS
    assert result.unchecked == ()
