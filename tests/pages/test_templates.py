"""The templates' source, and what of its layout browsers get."""

from django.conf import settings
from django.urls import reverse

LONGEST_LINE = 120


def test_no_line_of_a_template_is_too_long_to_read():
    long_lines = []
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > LONGEST_LINE:
                long_lines.append(f"{path.relative_to(settings.BASE_DIR)}:{number}")
    assert long_lines == []


def test_pages_are_sent_without_the_indentation_of_their_templates(seeded, viewer_client):
    page = viewer_client.get(reverse("pages:home")).text
    assert [line for line in page.splitlines() if line.startswith((" ", "\t"))] == []
