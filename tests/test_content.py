from pathlib import Path

from aigen.content import publish


def test_publish_moves_a_file_whole(tmp_path: Path) -> None:
    made, final = tmp_path / "made", tmp_path / "user" / "final"
    made.write_bytes(b"whole")
    publish(made, final)
    assert (final.read_bytes(), made.exists()) == (b"whole", False)
