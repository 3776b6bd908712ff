"""HTTP signatures of both kinds, sans-IO: who claims to have sent a request, and whether they did.

    read(request)  ->  Claim(key_id, ...)  ->  the caller brings the key  ->  verify(claim, key)

`read` has already checked everything that needs no key: the covered parts, one header of each, the time
window, the digest of the body, and that the request was meant for us. `sign` writes either dialect.
"""

from .claims import Claim, Dialect, Request, verify
from .keys import KeyPair, PublicKey, SigningKey, make_key_pair, public_key
from .reading import read
from .signing import sign

__all__ = [
    "Claim",
    "Dialect",
    "KeyPair",
    "PublicKey",
    "Request",
    "SigningKey",
    "make_key_pair",
    "public_key",
    "read",
    "sign",
    "verify",
]
