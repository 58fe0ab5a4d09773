import socket

import pytest

from embedded_kubernetes.config import SLOTS
from embedded_kubernetes.control import slots
from embedded_kubernetes.errors import ResourceError

LAST = SLOTS - 1


def test_a_slot_that_is_held_is_passed_over_and_comes_back_when_released() -> None:
    first, holder = slots.hold_slot((LAST, LAST - 1))
    with holder:
        second, other = slots.hold_slot((first, LAST - 2))
        other.close()
    third, again = slots.hold_slot((first,))
    again.close()
    assert second != first
    assert third == first


def test_no_slot_left_says_so() -> None:
    slot, holder = slots.hold_slot((LAST, LAST - 1, LAST - 2))
    with holder, pytest.raises(ResourceError) as raised:
        slots.hold_slot((slot,))
    assert f"n° {slot}" in str(raised.value)
    with holder, pytest.raises(ResourceError) as raised:
        slots.hold_slot(())
    assert "prises" in raised.value.found


def test_slots_of_stopped_clusters_come_last() -> None:
    order = slots.slot_candidates({0, 2})
    assert order[:2] == (1, 3)
    assert order[-2:] == (0, 2)
    assert sorted(order) == list(range(SLOTS))


def test_slots_share_no_address() -> None:
    assert len({slots.slot_address(slot) for slot in range(SLOTS)}) == SLOTS


def test_ports_are_the_first_free_ones_of_the_block() -> None:
    taken = {20500, 20502}
    assert slots.choose_ports(5, 3, is_free=lambda port: port not in taken) == (20501, 20503, 20504)


def test_the_ports_of_the_last_time_are_kept_where_free() -> None:
    chosen = slots.choose_ports(5, 3, (20507, 20508, 20509), is_free=lambda port: port != 20508)
    assert chosen == (20507, 20500, 20509)


def test_no_port_twice_and_none_outside_the_block() -> None:
    for preferred in ((), (20540,), (20503, 20501)):
        chosen = slots.choose_ports(5, 24, preferred, is_free=lambda _: True)
        assert len(set(chosen)) == 24
        assert all(20500 <= port < 20600 for port in chosen)


def test_a_block_without_room_is_an_error() -> None:
    with pytest.raises(ResourceError) as raised:
        slots.choose_ports(5, 4, is_free=lambda port: port < 20503)
    assert "20500" in raised.value.found


def test_a_listener_makes_a_port_taken_and_its_end_frees_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert not slots.port_is_free(port)
        with socket.create_connection(("127.0.0.1", port)):
            pass
    assert slots.port_is_free(port)
