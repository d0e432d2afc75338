"""All that a facts store must do. A store's own test file subclasses FactsSuite and gives `new_store`."""

from collections.abc import Iterator

import pytest

from tests.conformance.appending import Appending
from tests.conformance.events import Events
from tests.conformance.feed import Feed
from tests.conformance.figures import Figures
from tests.conformance.floor import Floor
from tests.conformance.naming import Naming
from tests.conformance.paging import Paging
from tests.conformance.properties import Properties
from tests.conformance.rollups import Rollups
from tests.conformance.samples import Samples
from tests.conformance.store import NewStore, Store
from tests.conformance.thinning import Thinning
from tests.conformance.together import Together


class FactsSuite(
    Appending, Events, Feed, Figures, Floor, Naming, Paging, Properties, Rollups, Samples, Thinning, Together
):
    """Expectations are counted from the records themselves, without the product's folding."""

    @pytest.fixture
    def store(self, new_store: NewStore) -> Iterator[Store]:
        with new_store() as made:
            yield made
