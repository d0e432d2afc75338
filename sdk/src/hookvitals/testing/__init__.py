"""For tests of receivers: requests signed as a provider would, and a shipper that keeps the records.

    shipper = MemoryShipper()
    receiver = Receiver("acme", endpoint="orders", system="hopnow", secrets=[SECRET], shipper=shipper)
    headers, body = signed_request("hopnow", SECRET, "evt_1", "order.created")
    receiver.handle("POST", "https://example.com/hooks", headers, body)
    received(shipper).one(outcome="succeeded", event_id="evt_1")

Where a provider signs with a private key (Orum, Discord, SendGrid), sign with one of your own: `new_secret`
makes a pair, `signing` for `signed_request` and `verifying` for the receiver.
"""

from hookvitals.secret import Secret, new_secret
from hookvitals.testing.memory import MemoryShipper, Received, received
from hookvitals.testing.signing import signed_body, signed_request, unsigned_request

__all__ = [
    "MemoryShipper",
    "Received",
    "Secret",
    "new_secret",
    "received",
    "signed_body",
    "signed_request",
    "unsigned_request",
]
