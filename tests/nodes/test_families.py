"""The nodes on SDXL's, SD3's and Flux's layouts inside a real ComfyUI."""

import pytest
from host import Host, check_names, find_host, run_checks

MODULE = "checks_families"


@pytest.fixture(scope="module")
def faults() -> dict[str, str | None]:
    """All checks, run once in one process of the host."""
    host = find_host()
    if not isinstance(host, Host):
        pytest.skip(host)
    return run_checks(host, MODULE)


@pytest.mark.host
@pytest.mark.parametrize("check", check_names(MODULE))
def test_on_families(check: str, faults: dict[str, str | None]) -> None:
    assert check in faults, "the check did not run"
    assert not faults[check], faults[check]
