"""A real ComfyUI is the same before and after our pack is loaded; asked in a process of its own."""

import pytest
from host import Host, run_checks


@pytest.mark.host
def test_loading_the_pack_leaves_comfyui_as_it_was(host: Host) -> None:
    faults = run_checks(host, "checks_host_state")
    assert list(faults.values()) == [None], faults
