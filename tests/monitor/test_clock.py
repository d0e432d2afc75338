"""Which readings of the steady clock may be compared."""

from pathlib import Path

from monitor.clock import BOOT_ID, boot_name


def test_processes_of_one_start_of_the_machine_share_its_name(tmp_path: Path) -> None:
    told_by = tmp_path / "boot_id"
    told_by.write_text("5e1f\n")
    assert boot_name(told_by) == "5e1f"


def test_where_the_system_tells_no_name_nothing_is_comparable(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert boot_name(missing) != boot_name(missing)


def test_this_machine_tells_its_name() -> None:
    assert not BOOT_ID.exists() or boot_name() == BOOT_ID.read_text().strip()
