import pytest
from scoring import Scoring


@pytest.fixture(scope="module")
def scoring():
    session = Scoring()
    yield session
    session.close()
