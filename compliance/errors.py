"""What can go wrong in the judgement itself. A verdict is a value, never one of these.

ComplianceError
├── InvalidRules       a rule set that cannot be used
├── InvalidPolicy      a tier policy that cannot be used
├── StaleRules         the caller judges by rules that are no longer in force
├── NotAllowed         wrong person, own case, or a step that is not open
├── NotFound           no such case, decision, application or record
├── InvalidNumber      not the number it is said to be
├── CodeRefused        a one-time code that proves nothing
├── IdentityInUse      one identity, more accounts than it may open
└── SealBroken         sealed bytes that do not open
"""


class ComplianceError(Exception):
    """Base of everything this package raises."""


class InvalidRules(ComplianceError):
    """A rule set that cannot be used; says where and why, and the set before it stays in force."""


class InvalidPolicy(ComplianceError):
    """A tier policy that cannot be used; names the place, and the policy before it stays in force."""


class StaleRules(ComplianceError):
    """Another rule set is in force than the one the caller brought: load it and ask again. Nothing was
    written."""


class NotAllowed(ComplianceError):
    """The person may not do this: wrong role, own case, or a step that is not open."""


class NotFound(ComplianceError):
    """No such case, decision, application or record."""


class InvalidNumber(ComplianceError):
    """Not the kind of number it is said to be; `code` says why, and the number itself is never in the
    message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SealBroken(ComplianceError):
    """Sealed bytes that do not open: changed, swapped, or sealed with a key that is not here."""
