"""The forms of a report: ``--format``."""

import io
import json
from collections.abc import Callable, Mapping

from ownership.drift.baseline_words import baseline_lines, changes_json
from ownership.drift.code import report as code_report
from ownership.drift.iam_changes import SNIPPETS_FOR, as_list, iam_changes, snippet
from ownership.drift.report import as_text
from ownership.drift.report_github import as_github
from ownership.drift.report_gitlab import as_gitlab
from ownership.drift.report_json import as_json
from ownership.drift.report_junit import as_junit
from ownership.drift.report_sarif import as_sarif
from ownership.drift.reported import Reported


def text_report(report: Reported) -> str:
    """For people, with what code does, and what a change adds and settles."""
    errors_in_code = report.usage.errors if report.usage is not None else ()
    text = as_text(report.declared, report.found, report.result, report.waived, errors_in_code)
    if report.usage is not None:
        text += f"\nIn code\n\n{code_report.usage_as_text(report.usage)}"
    if report.changes is not None:
        text += "\n" + "".join(f"{line}\n" for line in baseline_lines(report.changes))
    return text


def json_report(report: Reported) -> str:
    """For programs."""
    document = as_json(
        report.declared, report.found, report.result, report.environment, report.waived
    )
    if report.usage is not None:
        document["code"] = code_report.as_json(report.usage)
    if report.changes is not None:
        document["baseline"] = changes_json(report.changes)
    # Written piece by piece: `json.dumps` would hold all pieces of a large report at once.
    text = io.StringIO()
    json.dump(document, text, ensure_ascii=False, indent=1)
    text.write("\n")
    return text.getvalue()


def iam_report(report: Reported) -> str:
    """What the owners of IAM are to change: the list, then a snippet for each service that has a serverless.yml."""
    if not report.result.reads_code:
        return "Nothing is known: only code tells what IAM lacks or grants too much. Add --code FOLDER.\n"
    changes = iam_changes(finding for finding in report.findings if finding not in report.waived)
    if not changes:
        return "Nothing to change.\n"
    parts = ["\n".join(as_list(changes)) + "\n"]
    if report.found.reader == SNIPPETS_FOR:
        for service, of_service in changes.items():
            parts.append(snippet(service, of_service, report.declared, report.environment))
    return "\n".join(parts)


FORMATS: Mapping[str, Callable[[Reported], str]] = {
    "text": text_report,
    "json": json_report,
    "iam": iam_report,
    "sarif": as_sarif,
    "github": as_github,
    "gitlab": as_gitlab,
    "junit": as_junit,
}
SHOW_CHANGES = ("text", "json", "github")  # the others have no place for all that a baseline tells
