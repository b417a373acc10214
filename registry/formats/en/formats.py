"""28 Nov 2026, 18:45 UTC: the form that all pages use (ownership/templatetags/display.py)."""

DATE_FORMAT = SHORT_DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "j M Y, H:i e"
