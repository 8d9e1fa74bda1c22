"""Where the stores of a stack keep their data."""

import json
from pathlib import Path

from ops import cluster
from ops.places import Places


def make(folder: Path, *, place: str, identity: str) -> Places:
    places = Places(run=folder, stack=folder)
    (folder / "stores").mkdir(parents=True)
    (folder / "stores" / "made-for").write_text(identity)
    (folder / "stores.json").write_text(json.dumps({"path": place, "user": "", "id": "one"}))
    return places


def test_the_recorded_place_is_used_again(tmp_path: Path) -> None:
    places = make(tmp_path / "run", place=str(tmp_path / "run" / "stores"), identity="one")
    assert cluster.load_home(places) == cluster.Home(tmp_path / "run" / "stores", "")


def test_data_is_found_after_the_clone_was_moved(tmp_path: Path) -> None:
    places = make(tmp_path / "moved", place="/where/it/was/stores", identity="one")
    assert cluster.load_home(places) == cluster.Home(tmp_path / "moved" / "stores", "")


def test_data_of_another_set_up_is_not_taken_over(tmp_path: Path) -> None:
    places = make(tmp_path / "run", place=str(tmp_path / "run" / "stores"), identity="two")
    assert cluster.load_home(places) is None


def test_nothing_recorded_means_no_place(tmp_path: Path) -> None:
    assert cluster.load_home(Places(run=tmp_path, stack=tmp_path)) is None
