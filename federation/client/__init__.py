"""The only outgoing HTTP client of this server. No other module opens a connection."""

from .addresses import Peer, is_public
from .budget import Budget
from .session import Client, Limits, Response

__all__ = ["Budget", "Client", "Limits", "Peer", "Response", "is_public"]
