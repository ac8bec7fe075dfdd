"""The nodes inside a real ComfyUI, without its server: exactness, samplers, company, prompts."""

import pytest
from host import Host, check_names, run_checks

MODULES = (
    "checks_exact",
    "checks_company",
    "checks_runs",
    "checks_samplers",
    "checks_families",
    "checks_guidance",
    "checks_acted",
    "checks_writing",
    "checks_policies",
    "checks_demo",
    "checks_percent",
    "checks_evidence",
)


@pytest.fixture(scope="module")
def faults(host: Host) -> dict[str, str | None]:
    """All checks, run once in one process of the host."""
    return run_checks(host, *MODULES)


@pytest.mark.host
@pytest.mark.parametrize("check", check_names(*MODULES))
def test_inside_comfyui(check: str, faults: dict[str, str | None]) -> None:
    assert check in faults, "the check did not run"
    assert not faults[check], faults[check]
