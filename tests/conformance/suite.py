"""All that a facts store must do. A store's own test file subclasses FactsSuite and gives `store`."""

from tests.conformance.appending import Appending
from tests.conformance.events import Events
from tests.conformance.feed import Feed
from tests.conformance.figures import Figures
from tests.conformance.floor import Floor
from tests.conformance.naming import Naming
from tests.conformance.paging import Paging
from tests.conformance.rollups import Rollups
from tests.conformance.samples import Samples


class FactsSuite(Appending, Events, Feed, Figures, Floor, Naming, Paging, Rollups, Samples):
    """Expectations are counted from the records themselves, without the product's folding."""
