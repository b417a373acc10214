"""The names of roles in what policies and settings give: ARNs, and names alone."""

from ownership.drift.values import PLACEHOLDER


def role_name_in_arn(arn: str) -> str:
    """The name of the role in its ARN, ``arn:aws:iam::1:role/path/NAME``; empty for anything else."""
    _, is_arn, path = arn.partition(":role/")
    if not is_arn:
        return ""
    return path.rpartition("/")[2]


def role_name(text: str) -> str:
    """The name of the role in its ARN, or the name alone; empty where it is not known."""
    name = role_name_in_arn(text)
    if ":" not in text:
        name = text
    if PLACEHOLDER in name or "*" in name:
        return ""
    return name
