"""What the tests of processing share: waiting for an inbox to have nothing left."""

from hookvitals import Receiver
from tests.sdk.world import World


def drained(world: World, receiver: Receiver) -> None:
    """Waits until the inbox has nothing left."""
    inbox = receiver.inbox
    assert inbox is not None
    world.until(lambda: inbox.depth() == 0)
