"""What every test may use; the fakes and the database live in `tests/fixtures`."""

pytest_plugins = [
    "tests.fixtures.postgres",
    "tests.fixtures.people",
    "tests.fixtures.caches",
    "tests.fixtures.factory",
    "tests.fixtures.server",
    "tests.fixtures.stranger",
    "tests.fixtures.transit",
]
