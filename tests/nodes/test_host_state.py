"""A real ComfyUI is the same before and after our pack is loaded; asked in a process of its own."""

import pytest
from host import Host, find_host, run_checks


@pytest.mark.host
def test_loading_the_pack_leaves_comfyui_as_it_was() -> None:
    host = find_host()
    if not isinstance(host, Host):
        pytest.skip(host)
    faults = run_checks(host, "checks_host_state")
    assert list(faults.values()) == [None], faults
