"""Two hundred damaged policy folders: each is refused in one clear line, or is the policy that it was."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("NOT TESTED: pipes, links and limits are a matter of Unix", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parent))
from damage import DAMAGE, MEMORY_MB, SECRET

pytestmark = pytest.mark.slow

COUNT = 200


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What came of each, from one process that tried them all."""
    command = [sys.executable, str(Path(__file__).with_name("damage.py")), "0", str(COUNT)]
    done = subprocess.run(
        [*command, str(tmp_path_factory.mktemp("policies"))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    tried = found[-1] if found else None
    assert done.returncode == 0, f"it ended after {tried} with {done.returncode}:\n{done.stderr[-3000:]}"
    return found


def test_every_one_was_refused_or_loaded(rows: list[dict[str, object]]) -> None:
    outcomes = Counter(str(row["outcome"]) for row in rows)
    assert len(rows) == COUNT and set(outcomes) <= {"refused", "equal", "other"}
    assert {str(row["damage"]).partition(":")[0] for row in rows} == {damage.__name__ for damage in DAMAGE}
    assert outcomes["refused"] > COUNT / 3  # else the damage is none


def test_a_refusal_is_one_clear_line(rows: list[dict[str, object]]) -> None:
    for row in rows:
        says = str(row.get("says", "policy"))
        assert "\n" not in says and len(says) < 1500 and SECRET not in says, row
        assert any(word in says for word in ("policy", "settings", "export", "windows", "needs", "copy")), row


def test_what_has_checksums_loads_as_it_was_or_not_at_all(rows: list[dict[str, object]]) -> None:
    summed = [row for row in rows if row.get("must be equal")]
    assert all(row["outcome"] == "equal" for row in summed), [row for row in summed if row["outcome"] != "equal"]


def test_no_folder_takes_much_memory(rows: list[dict[str, object]]) -> None:
    assert max(int(str(row["grown_mb"])) for row in rows) < MEMORY_MB
