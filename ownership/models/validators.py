"""Rules that several models share: what a name or a line of text may be, key types, modes."""

from django.core.validators import RegexValidator
from django.db import models

# \A and \Z, for $ also matches before a trailing newline.
TABLE_NAME = r"\A[a-zA-Z0-9_.-]{3,255}\Z"
# Not "." or "..", which no URL can name.
SERVICE_NAME = r"\A(?!\.{1,2}\Z)[a-zA-Z0-9_.-]{1,100}\Z"
# Neither control characters nor those that are invisible or turn the text around: names must look like what they are.
ONE_LINE = r"\A[^\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]*\Z"
is_one_line = RegexValidator(ONE_LINE, "Keep it on one line, without control or invisible characters.")

# PostgreSQL can't store NUL in any text.
has_no_nul = RegexValidator(r"\A[^\x00]*\Z", "Remove the NUL character.")


class KeyType(models.TextChoices):
    """DynamoDB's types of a key attribute."""

    STRING = "S", "S (string)"
    NUMBER = "N", "N (number)"
    BINARY = "B", "B (binary)"


class Mode(models.TextChoices):
    """What a service does with a table's records; the document knows these three."""

    READ = "read", "Read"
    WRITE = "write", "Write"
    READ_WRITE = "read_write", "Read + Write"


READS, WRITES = (Mode.READ, Mode.READ_WRITE), (Mode.WRITE, Mode.READ_WRITE)
