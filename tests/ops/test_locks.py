"""The lock files: complete hashes, no addresses; and what the front end is served."""

import json
import re
from pathlib import Path

import pytest

from ops import frontend, locks, venv
from ops.places import ROOT, Trouble


@pytest.mark.parametrize("name", [locks.FULL, locks.PRODUCTION])
def test_a_python_lock_names_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pinned = re.findall(r"^\S+==\S+.*(?:\n\s+--hash=\S+.*)*", text, re.MULTILINE)
    assert pinned
    assert all("--hash=sha256:" in entry for entry in pinned)


def test_the_two_python_locks_agree() -> None:
    def versions(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([^\s=\[]+)(?:\[\S*\])?==(\S+)", (ROOT / name).read_text(), re.MULTILINE))

    full = versions(locks.FULL)
    assert versions(locks.PRODUCTION).items() <= full.items()


def test_psycopg_3_is_not_locked() -> None:
    assert "psycopg" not in venv.names_in((ROOT / locks.FULL).read_text())


def test_the_npm_lock_names_hashes_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert "://" not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_npm_keeps_addresses_out_of_the_lock() -> None:
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text().split()


def test_the_address_stripper_leaves_the_hashes() -> None:
    lock = {"packages": {"node_modules/x": {"integrity": "sha512-", "resolved": "there", "funding": {"url": "there"}}}}
    assert locks.without_addresses(lock) == {"packages": {"node_modules/x": {"integrity": "sha512-"}}}


def test_pointers_to_source_maps_are_dropped() -> None:
    assert frontend.without_map(b"a{}\n/*# sourceMappingURL=a.css.map */\n") == b"a{}\n"
    assert frontend.without_map(b"let a\n//# sourceMappingURL=a.js.map\n") == b"let a\n"


def test_the_sprite_holds_the_named_icons_and_refuses_unknown_ones(tmp_path: Path) -> None:
    (tmp_path / "outline").mkdir()
    (tmp_path / "outline" / "home.svg").write_text('<svg\n  width="24">\n  <path d="M1 1" />\n</svg>\n')
    made = frontend.sprite(tmp_path, ["home"])
    assert '<symbol id="home" viewBox="0 0 24 24"' in made
    assert made.count("<svg") == 1
    with pytest.raises(Trouble, match="no-such-icon"):
        frontend.sprite(tmp_path, ["no-such-icon"])
