"""What can go wrong in the judgement itself. A verdict is a value, never one of these."""


class ComplianceError(Exception):
    """Base of everything this package raises."""


class InvalidRules(ComplianceError):
    """A rule set that cannot be used; says where and why, and the set before it stays in force."""


class NotAllowed(ComplianceError):
    """The person may not do this: wrong role, own case, or a step that is not open."""


class NotFound(ComplianceError):
    """No such case, decision, application or record."""


class SealBroken(ComplianceError):
    """Sealed bytes that do not open: changed, swapped, or sealed with a key that is not here."""
