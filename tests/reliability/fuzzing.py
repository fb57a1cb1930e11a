"""Random inputs for the readers of files.

A fuzz test runs its reader on a few inputs in ``make test`` and on 20,000 in
``make test-full``::

    @FUZZ
    def test_reader(examples):
        fuzz(check, st.binary(), examples=examples)
"""

import pytest
from hypothesis import HealthCheck, given, settings

FULL_EXAMPLES = 20_000
FUZZ = pytest.mark.parametrize(
    'examples', [60, pytest.param(FULL_EXAMPLES, marks=pytest.mark.full)]
)


def fuzz(check, *strategies, examples: int) -> None:
    """Call ``check`` on random inputs; hypothesis reports the simplest that fails.

    Args:
        check (callable): Takes a value of each strategy, and asserts what holds.
        strategies: hypothesis' strategies.
        examples (int): How many inputs.
    """
    # a file that takes long is no fault, and every run tries other inputs
    run = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run(given(*strategies)(check))()
