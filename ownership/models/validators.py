"""Rules that several models share: what a name or a line of text may be, types of keys, modes of access."""

from django.core.validators import RegexValidator
from django.db import models

# \A and \Z, because $ also matches before a trailing newline.
TABLE_NAME = r"\A[a-zA-Z0-9_.-]{3,255}\Z"
TABLE_NAME_RULE = "Use 3–255 letters, digits, “_”, “.” or “-” (no spaces)."
# Not "." or "..", which no URL can contain as a name.
SERVICE_NAME = r"\A(?!\.{1,2}\Z)[a-zA-Z0-9_.-]{1,100}\Z"
SERVICE_NAME_RULE = "Use 1–100 letters, digits, “_”, “.” or “-” (no spaces)."
SUFFIX = r"\A[a-zA-Z0-9_.-]*\Z"
NAME_PATTERN = r"\A(?:(?:[a-zA-Z0-9_.-]|\{stage\})*\{name\}(?:[a-zA-Z0-9_.-]|\{stage\})*)?\Z"
NAME_PATTERN_RULE = (
    "Use {name} once for the base name, {stage} for the environment's name, "
    "and letters, digits, “_”, “.” or “-”: {stage}-{name}"
)

# No control characters, and none that are invisible or reverse the text: a name must be what it looks like.
ONE_LINE = r"\A[^\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*\Z"
is_one_line = RegexValidator(
    ONE_LINE, "Use a single line, without control or invisible characters."
)

# PostgreSQL can't store NUL in any text.
has_no_nul = RegexValidator(r"\A[^\x00]*\Z", "Remove the NUL character.")


class KeyType(models.TextChoices):
    """DynamoDB's types of a key attribute."""

    STRING = "S", "S (string)"
    NUMBER = "N", "N (number)"
    BINARY = "B", "B (binary)"


class Mode(models.TextChoices):
    """What a service does with a table's records."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    READ_WRITE = "read_write", "Read + Write"


READS = (Mode.READ, Mode.READ_WRITE)
WRITES = (Mode.WRITE, Mode.READ_WRITE)
