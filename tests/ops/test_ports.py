"""Choosing loopback ports."""

from pathlib import Path

from ops import ports

FOLDER = Path("/somewhere/clone/.run")


def test_every_server_gets_a_port_of_its_own() -> None:
    chosen = ports.choose(FOLDER, {}, free=lambda _port: True)
    assert set(chosen) == set(ports.NAMES)
    assert len(set(chosen.values())) == len(ports.NAMES)
    assert all(ports.FIRST <= port <= ports.LAST for port in chosen.values())


def test_known_ports_are_kept_while_they_are_free() -> None:
    known = ports.choose(FOLDER, {}, free=lambda _port: True)
    assert ports.choose(FOLDER, known, free=lambda _port: True) == known


def test_a_port_taken_by_somebody_else_is_replaced_alone() -> None:
    known = ports.choose(FOLDER, {}, free=lambda _port: True)
    taken = known["broker"]
    chosen = ports.choose(FOLDER, known, free=lambda port: port != taken)
    assert chosen["broker"] not in known.values()
    assert {name: port for name, port in chosen.items() if name != "broker"} == {
        name: port for name, port in known.items() if name != "broker"
    }


def test_two_folders_begin_their_search_apart() -> None:
    other = Path("/somewhere/else/.run")
    assert ports.choose(FOLDER, {}, free=lambda _port: True) != ports.choose(other, {}, free=lambda _port: True)


def test_a_listening_port_is_not_free() -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not ports.is_free(server.getsockname()[1])
