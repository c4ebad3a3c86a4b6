"""The fault proxy itself, in front of an echo of Kafka frames: a test that leans on it is only as good as it is."""

from __future__ import annotations

import socket
import struct
import threading
import time

import pytest
from kafka.protocol.producer import EndTxnRequest, ProduceRequest

from harness.proxy import Proxy
from harness.wire import Connection, frame


class Echo:
    """Answers every request frame with its correlation id and remembers what arrived."""

    def __init__(self):
        self.received: list[int] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.bootstrap = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            while header := client.recv(4, socket.MSG_WAITALL):
                body = client.recv(struct.unpack(">i", header)[0], socket.MSG_WAITALL)
                (correlation,) = struct.unpack_from(">i", body, 4)
                self.received.append(correlation)
                client.sendall(struct.pack(">ii", 4, correlation))

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def echo(finally_close):
    return finally_close(Echo())


@pytest.fixture
def echo_proxy(echo):
    with Proxy(echo.bootstrap, seed=3) as proxy:
        yield proxy


def ask(proxy: Proxy, key: int, correlation: int) -> bool:
    """Whether the answer came back, over a connection of its own."""
    with Connection(proxy.bootstrap) as connection:
        connection.send_bytes(frame(key, 0, b"body", correlation=correlation))
        answer = connection.receive_frame()
        assert answer is None or struct.unpack(">i", answer) == (correlation,)
        return answer is not None


def test_frames_pass_untouched(echo, echo_proxy):
    assert all(ask(echo_proxy, ProduceRequest.API_KEY, number) for number in range(20))
    assert echo.received == list(range(20))


def test_a_reset_request_never_arrives(echo, echo_proxy):
    echo_proxy.add("Produce", "reset-request", times=1)
    assert [ask(echo_proxy, ProduceRequest.API_KEY, number) for number in range(3)] == [False, True, True]
    assert echo.received == [1, 2]


def test_a_reset_response_was_acted_upon(echo, echo_proxy):
    echo_proxy.add("Produce", "reset-response", times=1)
    assert [ask(echo_proxy, ProduceRequest.API_KEY, number) for number in range(3)] == [False, True, True]
    assert echo.received == [0, 1, 2]


def test_rules_hold_for_their_api_only(echo_proxy):
    rule = echo_proxy.add("EndTxn", "reset-request")
    assert ask(echo_proxy, ProduceRequest.API_KEY, 1)
    assert not ask(echo_proxy, EndTxnRequest.API_KEY, 2)
    assert rule.fired == 1


def test_a_held_response_comes_when_it_is_released(echo, echo_proxy):
    echo_proxy.add("Produce", "hold", times=1)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(ask(echo_proxy, ProduceRequest.API_KEY, 1)))
    waiting.start()
    deadline = time.monotonic() + 10
    while echo.received != [1] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ask(echo_proxy, ProduceRequest.API_KEY, 2), "others pass a held one"
    assert answers == []
    while waiting.is_alive():
        echo_proxy.release()
        time.sleep(0.01)
    assert answers == [True]


def test_the_same_seed_makes_the_same_faults(echo):
    def pattern(seed: int) -> list[bool]:
        with Proxy(echo.bootstrap, seed=seed) as proxy:
            proxy.add("Produce", "reset-request", probability=0.5)
            return [ask(proxy, ProduceRequest.API_KEY, number) for number in range(40)]

    assert pattern(1) == pattern(1) != pattern(2)
    assert 5 < sum(pattern(1)) < 35
