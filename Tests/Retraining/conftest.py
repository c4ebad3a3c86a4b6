import pytest

from project import Project


@pytest.fixture
def project(tmp_path):
    made = []

    def make(*arguments, **options):
        made.append(Project(tmp_path / f"p{len(made)}", *arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.kill()
